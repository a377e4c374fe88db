-- Leaves of what departments file in DM-4: by family (technology contracts, commercial presence), by the
-- indicator of a target, or one cell by its address. `currency_code` '' takes the number as filed, 'filed' turns
-- it into currency units, USD and CNY convert it: a month at its own rate, a year at the mean of its twelve.
with series as (
    select distinct
        canonical_indicator,
        flow,
        measure
    from reference.department_series
    where family = $family
),

yearly_rate as (
    select
        year(month_start_date) as year,
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 12 as decimal(18, 8)) as cny_per_unit,
        cast(cast(sum(usd_per_unit) as double) / 12 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    group by year(month_start_date), currency_code
    having count(*) = 12
),

-- January and February in one figure hold in a year to date unless both months are given on their own.
two_months as (
    select
        indicator,
        year(period_start_date) as year,
        count(*) filter (where period_kind = 'months_1_2') > 0
        and count(*) filter (where period_kind = 'month' and month(period_start_date) <= 2) < 2 as is_joint
    from core.department_indicator
    where is_city
      and value is not null
    group by indicator, year(period_start_date)
),

joint_rate as (
    select
        year(month_start_date) as year,
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)) as cny_per_unit,
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    where month(month_start_date) <= 2
    group by year(month_start_date), currency_code
    having count(*) = 2
),

filed as (
    select
        indicator.*,
        series.flow,
        cast(indicator.value * indicator.unit_multiplier as decimal(24, 4)) as declared,
        case indicator.period_kind when 'year' then yearly.usd_per_unit when 'months_1_2' then joint_rate.usd_per_unit else monthly.usd_per_unit end as usd_per_unit,
        case indicator.period_kind when 'year' then yearly.cny_per_unit when 'months_1_2' then joint_rate.cny_per_unit else monthly.cny_per_unit end as cny_per_unit
    from core.department_indicator as indicator
    left join series on series.canonical_indicator = indicator.indicator
    left join core.exchange_rate as monthly
        on monthly.month_start_date = indicator.period_start_date
        and monthly.currency_code = indicator.currency_code
    left join yearly_rate as yearly
        on yearly.year = year(indicator.period_start_date)
        and yearly.currency_code = indicator.currency_code
    left join joint_rate
        on joint_rate.year = year(indicator.period_start_date)
        and joint_rate.currency_code = indicator.currency_code
    left join two_months
        on two_months.indicator = indicator.indicator
        and two_months.year = year(indicator.period_start_date)
    where indicator.is_city
      and indicator.value is not null
      and ($family is null or series.canonical_indicator is not null)
      and ($measure is null or series.measure = $measure)
      and ($flow is null or $flow in ('total', series.flow))
      and ($indicator is null or indicator.indicator = $indicator)
      and ($line_id is null or indicator.line_id = $line_id)
      and (
          $period_kind is null
          or (
              indicator.period_kind = $period_kind
              and not ($period_kind = 'month' and two_months.is_joint and month(indicator.period_start_date) <= 2)
          )
          or ($period_kind = 'month' and indicator.period_kind = 'months_1_2' and two_months.is_joint and $first_date < $last_date)
      )
      and ($first_date is null or indicator.period_start_date between $first_date and $last_date)
)

select
    case when period_kind = 'months_1_2' then make_date(year(period_start_date), 2, 1) else period_start_date end as month_start_date,
    line_id,
    split_part(line_id, '/', 1) as submission_id,
    cast(null as varchar) as enterprise_code,
    flow,
    indicator as item_code,
    cast(null as varchar) as partner_code,
    case
        when $currency_code = '' then 'number'
        when $currency_code = 'filed' then 'filed'
        when period_kind in ('year', 'months_1_2') then period_kind
        else 'month'
    end as rate_kind,
    cast(
        case
            when $currency_code = '' then value
            when $currency_code = 'filed' or $currency_code = currency_code then declared
            when $currency_code = 'USD' then cast(declared * usd_per_unit as decimal(24, 4))
            when $currency_code = 'CNY' then cast(declared * cny_per_unit as decimal(24, 4))
        end as decimal(30, 6)
    ) as line_amount,
    line_amount as amount,
    cast(null as decimal(9, 6)) as share_pct,
    case when is_provisional then 'provisional' end as basis
from filed
