-- table:  indicators.target_progress
-- title:  目标完成情况 / Progress of the targets as known by the month
-- grain:  one row per target that falls due in the year of the month or was measured for an earlier year, and every later one
-- reads:  reference.targets, reference.target_series, indicators.trade_total, indicators.share_of_foreign_trade, indicators.outsourcing, core.department_indicator, core.published_share, core.period_coverage, reference.units
-- param:  month_start_date | date
-- param:  services_source | varchar
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: target_id | varchar | T001 ...
-- column: kind | varchar | target or qualitative
-- column: target_year | integer | year for which the target is set; the month's own for 每年
-- column: area | varchar | heading in the plan
-- column: indicator | varchar | as in the plan
-- column: comparator | varchar | >, >=, reach, range, about or qual
-- column: target_value | decimal(24,6) | in unit
-- column: target_value_high | decimal(24,6) | upper end of a range
-- column: unit | varchar | as in the plan
-- column: is_lower_better | boolean | 下降到: smaller is better
-- column: measure_kind | varchar | level, annual_flow, stock, share, growth, average_growth or qualitative
-- column: value | decimal(24,6) | measured, in the unit of the target; empty when there is none
-- column: value_text | varchar | status in words, for qualitative targets
-- column: base_value | decimal(24,6) | value of the base year, for growth
-- column: base_year | integer | for growth and average growth
-- column: measured_period | varchar | the period the value is of: 2017, 2020-01..2020-08, 2020-06
-- column: measured_start_date | date | first day of that period
-- column: measured_end_date | date | last day of that period
-- column: is_so_far | boolean | year to date or an earlier point of the target year, not the full year
-- column: measured_source | varchar | direct_report, safe or department
-- column: department | varchar | department that gave it
-- column: is_provisional | boolean | the value may still be revised
-- column: achieved_pct | double | value over target, per cent (target over value where lower is better); levels only
-- column: gap | decimal(24,6) | value less target, in unit or percentage points
-- column: status | varchar | met, met_early, not_met, on_the_way, no_data or not_started
-- column: line_id | varchar | cell of the departmental table, where there is one
-- method: docs/methods/target_progress.md
with horizon as (
    select
        min(try_cast(year as integer)) as first_year,
        max(try_cast(year as integer)) as last_year
    from reference.targets
    where kind = 'target'
),

due as (
    select
        target.target_id,
        target.kind,
        -- 每年 is due in every year of the plan; here in the year of the month.
        case when target.year = '每年' then cast(year($month_start_date) as integer) else cast(target.year as integer) end as target_year,
        target.area,
        target.indicator as indicator_text,
        target.comparator,
        target.value as target_value,
        target.value_high as target_value_high,
        target.unit,
        unit.unit_multiplier,
        unit.currency_code,
        series.measure_kind,
        series.measured_from,
        series.measure,
        coalesce(series.scope, '') as scope,
        series.indicator,
        series.growth_indicator,
        coalesce(series.better, 'higher') = 'lower' as is_lower_better,
        series.base_year,
        series.base_value,
        coalesce(series.tolerance, cast(target.value * 0.05 as decimal(24, 6))) as tolerance
    from reference.targets as target
    inner join reference.target_series as series on series.target_id = target.target_id
    cross join horizon
    left join reference.units as unit on unit.label_zh = target.unit
    where target.kind in ('target', 'qualitative')
      and (
          target.year <> '每年'
          or (year($month_start_date) >= horizon.first_year and year($month_start_date) <= horizon.last_year)
      )
),

-- What we compute ourselves: the year to date of this month, and the Decembers before it.
computed as (
    select 'trade_total' as measured_from, measure, scope, currency_code, source, month_start_date,
        cast(amount as double) as amount, growth_pct, status
    from indicators.trade_total
    where period = 'ytd'
      and source = $services_source
      and amount is not null
      and month_start_date <= $month_start_date
      and (month_start_date = $month_start_date or month(month_start_date) = 12)
    union all
    select 'share_of_foreign_trade' as measured_from, 'share' as measure, '' as scope, '' as currency_code, source, month_start_date,
        share_pct as amount, null as growth_pct, status
    from indicators.share_of_foreign_trade
    where period = 'ytd'
      and source = $services_source
      and currency_code = 'USD'
      and share_pct is not null
      and month_start_date <= $month_start_date
      and (month_start_date = $month_start_date or month(month_start_date) = 12)
    union all
    select 'outsourcing' as measured_from, measure, scope, currency_code, source, month_start_date,
        cast(amount as double) as amount, growth_pct, status
    from indicators.outsourcing
    where period = 'ytd'
      and outsourcing_type = 'all'
      and amount is not null
      and month_start_date <= $month_start_date
      and (month_start_date = $month_start_date or month(month_start_date) = 12)
),

computed_point as (
    select
        computed.*,
        cast(year(computed.month_start_date) as integer) as year,
        month(computed.month_start_date) = 12 and coalesce(coverage.is_complete, false) as is_full_year,
        make_date(year(computed.month_start_date), 1, 1) as start_date,
        cast(computed.month_start_date + interval 1 month - interval 1 day as date) as end_date,
        substr(cast(computed.month_start_date as varchar), 1, 7) as last_month
    from computed
    left join core.period_coverage as coverage
        on coverage.month_start_date = computed.month_start_date
        and coverage.source = computed.source
        and coverage.period = 'ytd'
),

-- What departments gave, known by the end of the month.
filed as (
    select
        *,
        cast(year(period_start_date) as integer) as year,
        case period_kind
            when 'month' then month(period_start_date)
            when 'quarter' then (month(period_start_date) + 2) / 3
            when 'half_year' then (month(period_start_date) + 5) / 6
        end as place_in_year
    from core.department_indicator
    where is_city
      and period_end_date <= cast($month_start_date + interval 1 month - interval 1 day as date)
),

-- Flows of parts of a year add up, when none is missing since January.
part_sum as (
    select
        indicator,
        year,
        period_kind,
        unit,
        unit_multiplier,
        currency_code,
        min(period_start_date) as start_date,
        max(period_end_date) as end_date,
        sum(value) as value,
        max(department) as department,
        max(case when is_provisional then 1 else 0 end) = 1 as is_provisional,
        max(line_id) as line_id
    from filed
    where period_kind in ('month', 'quarter', 'half_year')
      and value is not null
    group by indicator, year, period_kind, unit, unit_multiplier, currency_code
    having count(*) = cast(max(place_in_year) as integer)
),

filed_point as (
    select indicator, 'year' as point_kind, year, true as is_full_year, period_code as period_text, period_start_date as start_date,
        period_end_date as end_date, cast(value as double) as value, unit, unit_multiplier, currency_code, department, is_provisional, line_id
    from filed
    where period_kind = 'year' and value is not null
    union all
    select indicator, 'sum' as point_kind, year, month(end_date) = 12 as is_full_year,
        substr(cast(start_date as varchar), 1, 7) || '..' || substr(cast(end_date as varchar), 1, 7) as period_text, start_date,
        end_date, cast(value as double) as value, unit, unit_multiplier, currency_code, department, is_provisional, line_id
    from part_sum
    union all
    -- A point at the end of December is a stock of the year; a December share or growth rate is of a month only.
    select indicator, 'point' as point_kind, year, month(period_end_date) = 12 as is_full_year, period_code as period_text, period_start_date as start_date,
        period_end_date as end_date, cast(value as double) as value, unit, unit_multiplier, currency_code, department, is_provisional, line_id
    from filed
    where period_kind <> 'year' and value is not null
),

-- Everything that could stand for a target, in the target's unit, before choosing.
candidate as (
    -- levels, flows and shares computed here
    select
        due.target_id,
        point.year,
        point.is_full_year,
        case when point.is_full_year then cast(point.year as varchar) else substr(cast(point.start_date as varchar), 1, 7) || '..' || point.last_month end as period_text,
        point.start_date,
        point.end_date,
        point.amount / coalesce(due.unit_multiplier, 1) as value,
        cast(null as double) as base_value,
        cast(null as integer) as base_year,
        point.source,
        cast(null as varchar) as department,
        point.status = 'preliminary' as is_provisional,
        cast(null as varchar) as line_id,
        0 as preference
    from due
    inner join computed_point as point
        on point.measured_from = due.measured_from
        and point.measure = due.measure
        and point.scope = due.scope
        and point.currency_code = coalesce(due.currency_code, '')
    where due.measure_kind in ('level', 'share')
    union all
    -- growth computed here
    select
        due.target_id,
        point.year,
        point.is_full_year,
        case when point.is_full_year then cast(point.year as varchar) else substr(cast(point.start_date as varchar), 1, 7) || '..' || point.last_month end as period_text,
        point.start_date,
        point.end_date,
        point.growth_pct as value,
        cast(null as double) as base_value,
        point.year - 1 as base_year,
        point.source,
        cast(null as varchar) as department,
        point.status = 'preliminary' as is_provisional,
        cast(null as varchar) as line_id,
        0 as preference
    from due
    inner join computed_point as point
        on point.measured_from = due.measured_from
        and point.measure = due.measure
        and point.scope = due.scope
        and point.currency_code = 'USD'
    where due.measure_kind = 'growth'
      and point.growth_pct is not null
    union all
    -- average growth since the base year, of full years computed here
    select
        due.target_id,
        point.year,
        point.is_full_year,
        cast(due.base_year as varchar) || '..' || cast(point.year as varchar) as period_text,
        point.start_date,
        point.end_date,
        100 * (power(point.amount / 100000000 / cast(due.base_value as double), 1 / cast(point.year - due.base_year as double)) - 1) as value,
        cast(due.base_value as double) as base_value,
        due.base_year,
        point.source,
        cast(null as varchar) as department,
        point.status = 'preliminary' as is_provisional,
        cast(null as varchar) as line_id,
        0 as preference
    from due
    inner join computed_point as point
        on point.measured_from = due.measured_from
        and point.measure = due.measure
        and point.scope = due.scope
        and point.currency_code = 'USD'
    where due.measure_kind = 'average_growth'
      and point.is_full_year
      and point.year > due.base_year
      and due.base_value > 0
    union all
    -- levels, flows, stocks and shares given by departments
    select
        due.target_id,
        point.year,
        point.is_full_year and (due.measure_kind <> 'share' or point.point_kind = 'year') as is_full_year,
        point.period_text,
        point.start_date,
        point.end_date,
        case
            when point.unit = due.unit then point.value
            when point.currency_code = due.currency_code then point.value * point.unit_multiplier / due.unit_multiplier
            else point.value
        end as value,
        cast(null as double) as base_value,
        cast(null as integer) as base_year,
        'department' as source,
        point.department,
        point.is_provisional,
        point.line_id,
        1 as preference
    from due
    inner join filed_point as point on point.indicator = due.indicator
    where (
        (due.measure_kind in ('level', 'annual_flow') and point.point_kind in ('year', 'sum'))
        or (due.measure_kind in ('stock', 'share') and point.point_kind in ('year', 'point'))
    )
      -- the same unit, the same currency, or both counts of things; never yuan for dollars
      and (
          point.unit = due.unit
          or point.currency_code = due.currency_code
          or (point.unit in ('家', '个', '名', '条', '项') and due.unit in ('家', '个', '名', '条', '项'))
      )
    union all
    -- the share of foreign trade, where the department published services over goods
    select
        due.target_id,
        cast(year(point.period_start_date) as integer) as year,
        month(point.period_start_date) = 1 and month(point.period_end_date) = 12 as is_full_year,
        point.period_code as period_text,
        point.period_start_date as start_date,
        point.period_end_date as end_date,
        point.share_pct as value,
        cast(null as double) as base_value,
        cast(null as integer) as base_year,
        'department' as source,
        point.department,
        point.is_provisional,
        point.line_id,
        2 as preference
    from due
    inner join core.published_share as point on due.measured_from = 'share_of_foreign_trade'
    where point.is_city
      and point.basis = 'converted'
      and point.period_end_date <= cast($month_start_date + interval 1 month - interval 1 day as date)
    union all
    -- growth as a department published it
    select
        due.target_id,
        point.year,
        point.is_full_year and point.point_kind = 'year' as is_full_year,
        point.period_text,
        point.start_date,
        point.end_date,
        point.value,
        cast(null as double) as base_value,
        case when due.measure_kind = 'average_growth' then due.base_year else point.year - 1 end as base_year,
        'department' as source,
        point.department,
        point.is_provisional,
        point.line_id,
        1 as preference
    from due
    inner join filed_point as point
        on point.indicator = due.growth_indicator
        and point.point_kind in ('year', 'point')
        and point.unit = '%'
    where due.measure_kind in ('growth', 'average_growth')
    union all
    -- growth of the level that a department gave, over its own earlier year or the base written in the plan
    select
        due.target_id,
        point.year,
        point.is_full_year,
        case
            when due.measure_kind = 'average_growth' then cast(due.base_year as varchar) || '..' || cast(point.year as varchar)
            else point.period_text
        end as period_text,
        point.start_date,
        point.end_date,
        case
            when due.measure_kind = 'average_growth'
                then 100 * (power(point.value / nullif(coalesce(base.value, cast(due.base_value as double)), 0), 1 / cast(point.year - due.base_year as double)) - 1)
            else 100 * (point.value / nullif(base.value, 0) - 1)
        end as value,
        coalesce(base.value, cast(due.base_value as double)) as base_value,
        case when due.measure_kind = 'average_growth' then due.base_year else point.year - 1 end as base_year,
        'department' as source,
        point.department,
        point.is_provisional,
        point.line_id,
        2 as preference
    from due
    inner join filed_point as point
        on point.indicator = due.indicator
        and point.point_kind = 'year'
    left join filed_point as base
        on base.indicator = point.indicator
        and base.point_kind = 'year'
        and base.unit = point.unit
        and base.year = case when due.measure_kind = 'average_growth' then due.base_year else point.year - 1 end
    where (
        (due.measure_kind = 'growth' and base.value > 0)
        or (
            due.measure_kind = 'average_growth'
            and point.year > due.base_year
            and point.value > 0
            and coalesce(base.value, cast(due.base_value as double)) > 0
        )
    )
),

-- One value a target: the full target year; else that year so far, to its latest date; else the latest full year
-- before, and only without one a part of an earlier year (a stock has no parts: its latest point). What is of one
-- year only, a year's flow or a growth rate, is never taken from another year than the target's.
-- Our own series before a department's, a published figure before one derived from it.
chosen as (
    select
        ranked.*
    from (
        select
            candidate.*,
            row_number() over (
                partition by candidate.target_id
                order by
                    case
                        when candidate.year = due.target_year and candidate.is_full_year then 0
                        when candidate.year = due.target_year then 1
                        when candidate.is_full_year or due.measure_kind = 'stock' then 2
                        else 3
                    end,
                    candidate.year desc,
                    case when candidate.is_full_year then 0 else 1 end,
                    candidate.preference,
                    candidate.end_date desc,
                    candidate.start_date,
                    candidate.period_text,
                    candidate.line_id
            ) as place
        from candidate
        inner join due on due.target_id = candidate.target_id
        where candidate.value is not null
          and (
              candidate.year = due.target_year
              or (candidate.year < due.target_year and due.measure_kind not in ('annual_flow', 'growth', 'average_growth'))
          )
    ) as ranked
    where ranked.place = 1
),

-- Qualitative targets: the latest words of the department.
words as (
    select
        due.target_id,
        filed.period_code as period_text,
        filed.period_start_date as start_date,
        filed.period_end_date as end_date,
        filed.value_text,
        filed.department,
        filed.is_provisional,
        filed.line_id,
        row_number() over (
            partition by due.target_id
            order by filed.period_end_date desc, filed.period_start_date desc, filed.line_id
        ) as place
    from due
    inner join filed on filed.indicator = due.indicator
    where due.kind = 'qualitative'
      and filed.value_text is not null
      and filed.year <= due.target_year
),

measured as (
    select
        due.*,
        cast(chosen.value as decimal(24, 6)) as value,
        cast(chosen.base_value as decimal(24, 6)) as measured_base_value,
        chosen.base_year as measured_base_year,
        chosen.year as measured_year,
        chosen.is_full_year,
        chosen.source,
        words.value_text,
        coalesce(chosen.period_text, words.period_text) as measured_period,
        coalesce(chosen.start_date, words.start_date) as measured_start_date,
        coalesce(chosen.end_date, words.end_date) as measured_end_date,
        coalesce(chosen.department, words.department) as department,
        coalesce(chosen.is_provisional, words.is_provisional) as is_provisional,
        coalesce(chosen.line_id, words.line_id) as line_id
    from due
    left join chosen on chosen.target_id = due.target_id and due.kind = 'target'
    left join words on words.target_id = due.target_id and words.place = 1
),

judged as (
    select
        *,
        case
            when value is null then null
            when comparator = '>' then value > target_value
            when comparator = 'about' and is_lower_better then value <= target_value + tolerance
            when comparator = 'about' then value >= target_value - tolerance
            when is_lower_better then value <= target_value
            -- reach, >= and the lower end of a range
            else value >= target_value
        end as is_satisfied
    from measured
)

select
    $month_start_date as month_start_date,
    target_id,
    kind,
    target_year,
    area,
    indicator_text as indicator,
    comparator,
    target_value,
    target_value_high,
    unit,
    is_lower_better,
    measure_kind,
    value,
    value_text,
    measured_base_value as base_value,
    cast(measured_base_year as integer) as base_year,
    measured_period,
    measured_start_date,
    measured_end_date,
    value is not null and (not is_full_year or measured_year < target_year) as is_so_far,
    case when value_text is not null then 'department' else source end as measured_source,
    department,
    is_provisional,
    case
        when measure_kind in ('growth', 'average_growth') then null
        when is_lower_better then 100 * cast(target_value as double) / nullif(cast(value as double), 0)
        else 100 * cast(value as double) / nullif(cast(target_value as double), 0)
    end as achieved_pct,
    cast(value - target_value as decimal(24, 6)) as gap,
    case
        when kind = 'qualitative' then case
            when value_text is null and target_year > year($month_start_date) then 'not_started'
            when value_text is null then 'no_data'
            when value_text like '%未启动%' or value_text like '%未开始%' then 'not_started'
            when value_text like '%已完成%' or value_text like '%已建成%' or value_text like '%已实现%' or value_text = '完成' then 'met'
            else 'on_the_way'
        end
        when value is null and target_year > year($month_start_date) then 'not_started'
        when value is null then 'no_data'
        when is_satisfied and measured_year = target_year and is_full_year then 'met'
        -- Before the target year is over: what only rises stays above its target, a stock is there already, and a
        -- share counts for a whole earlier year. Part of a year says nothing final of a share, a ratio or growth.
        when is_satisfied and measure_kind in ('level', 'annual_flow', 'stock') and not is_lower_better then 'met_early'
        when is_satisfied and measured_year < target_year and is_full_year
            and measure_kind not in ('growth', 'average_growth') then 'met_early'
        when measured_year = target_year and is_full_year then 'not_met'
        when target_year >= year($month_start_date) then 'on_the_way'
        -- the year is over and its full figure was never given: neither met nor missed can be said
        else 'no_data'
    end as status,
    line_id
from judged
order by target_id
