-- table:  core.period_coverage
-- title:  口径可比性 / What the month and the year to date cover, by source
-- grain:  one row per source and period
-- reads:  validated.filing, raw.enterprise, core.bop_services, core.goods_trade
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: period | varchar | month, or ytd: January to this month
-- column: first_month_start_date | date | first month of the period
-- column: base_first_month_start_date | date | first month of the same period a year earlier
-- column: base_month_start_date | date | last month of the same period a year earlier
-- column: expected_month_count | integer | months in the period: 1, or those since January
-- column: is_reported | boolean | something was reported for this period
-- column: is_base_reported | boolean | something was reported for the same period a year earlier
-- column: is_complete | boolean | every month of the period has figures
-- column: is_base_complete | boolean | every month of the base period has figures
-- column: is_comparable | boolean | growth may be computed
-- column: blank_reason | varchar | why not: not_reported, no_base, months_missing or months_1_2
-- column: zero_return_count | bigint | accepted zero returns of the period (direct reports)
-- column: base_zero_return_count | bigint | the same a year earlier
-- column: status | varchar | preliminary or final
-- method: docs/methods/growth.md
with span as (
    select
        'month' as period,
        $month_start_date as first_date,
        make_date(year($month_start_date) - 1, month($month_start_date), 1) as base_first_date,
        1 as expected_month_count
    union all
    select
        'ytd' as period,
        make_date(year($month_start_date), 1, 1) as first_date,
        make_date(year($month_start_date) - 1, 1, 1) as base_first_date,
        month($month_start_date) as expected_month_count
),

filing_month as (
    select
        month_start_date,
        count(*) filter (where period_kind = 'months_1_2') as joint_count,
        count(*) filter (where is_zero_return) as zero_return_count
    from validated.filing
    where month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and month_start_date <= make_date(year($month_start_date), greatest(month($month_start_date), 2), 1)
    group by month_start_date
),

-- Months for which each source says anything. A January-February return speaks for January as well.
covered_month as (
    select 'direct_report' as source, month_start_date
    from filing_month
    union
    select 'direct_report' as source, make_date(year(month_start_date), 1, 1) as month_start_date
    from filing_month
    where joint_count > 0
    union
    select 'safe' as source, month_start_date
    from core.bop_services
    where item_code not in ('G', 'GS')
      and coalesce(amount_usd, amount_cny) is not null
    union
    select 'safe' as source, make_date(year(month_start_date), 1, 1) as month_start_date
    from core.bop_services
    where item_code not in ('G', 'GS')
      and period_kind = 'months_1_2'
    union
    select source, month_start_date
    from core.goods_trade
    where source = 'customs'
      and coalesce(amount_usd, amount_cny) is not null
    union
    select source, make_date(year(month_start_date), 1, 1) as month_start_date
    from core.goods_trade
    where source = 'customs'
      and period_kind = 'months_1_2'
),

-- Sources that give January and February of this year or the last in one figure.
joint_source as (
    select 'direct_report' as source
    from filing_month
    where joint_count > 0
    union
    select 'safe' as source
    from core.bop_services
    where period_kind = 'months_1_2'
      and item_code not in ('G', 'GS')
      and year(month_start_date) in (year($month_start_date), year($month_start_date) - 1)
    union
    select source
    from core.goods_trade
    where period_kind = 'months_1_2'
      and source = 'customs'
      and year(month_start_date) in (year($month_start_date), year($month_start_date) - 1)
),

expected as (
    select
        month_start_date,
        count(distinct enterprise_code) as enterprise_count
    from (
        select
            filing_month.month_start_date,
            enterprise.enterprise_code
        from filing_month
        inner join raw.enterprise as enterprise
            on (enterprise.from_month_start_date is null or enterprise.from_month_start_date <= filing_month.month_start_date)
            and (enterprise.to_month_start_date is null or enterprise.to_month_start_date >= filing_month.month_start_date)
        except
        select
            month_start_date,
            enterprise_code
        from validated.filing
        except
        select
            make_date(year(month_start_date), 1, 1) as month_start_date,
            enterprise_code
        from validated.filing
        where period_kind = 'months_1_2'
    ) as outstanding
    group by month_start_date
),

source as (
    select 'customs' as source
    union all
    select 'direct_report' as source
    union all
    select 'safe' as source
),

counted as (
    select
        source.source,
        span.period,
        span.first_date,
        span.base_first_date,
        span.expected_month_count,
        count(*) filter (
            where covered.month_start_date >= span.first_date and covered.month_start_date <= $month_start_date
        ) as covered_count,
        count(*) filter (
            where covered.month_start_date >= span.base_first_date
              and covered.month_start_date <= make_date(year($month_start_date) - 1, month($month_start_date), 1)
        ) as base_covered_count,
        count(*) filter (where month(covered.month_start_date) = 1 and year(covered.month_start_date) = year($month_start_date)) as january_count,
        count(*) filter (where month(covered.month_start_date) = 1 and year(covered.month_start_date) = year($month_start_date) - 1) as base_january_count
    from source
    cross join span
    left join covered_month as covered on covered.source = source.source
    group by source.source, span.period, span.first_date, span.base_first_date, span.expected_month_count
),

filed as (
    select
        span.period,
        sum(filing_month.zero_return_count) filter (
            where filing_month.month_start_date >= span.first_date and filing_month.month_start_date <= $month_start_date
        ) as zero_return_count,
        sum(filing_month.zero_return_count) filter (
            where filing_month.month_start_date >= span.base_first_date
              and filing_month.month_start_date <= make_date(year($month_start_date) - 1, month($month_start_date), 1)
        ) as base_zero_return_count,
        sum(expected.enterprise_count) filter (
            where filing_month.month_start_date >= span.first_date and filing_month.month_start_date <= $month_start_date
        ) as outstanding_count
    from span
    cross join filing_month
    left join expected on expected.month_start_date = filing_month.month_start_date
    group by span.period
),

judged as (
    select
        counted.*,
        filed.zero_return_count,
        filed.base_zero_return_count,
        filed.outstanding_count,
        case
            when counted.covered_count = 0 then 'not_reported'
            when counted.base_covered_count = 0 then 'no_base'
            -- One month of a January-February return has no figure of its own, and February without January
            -- would compare the two sides of a wandering Spring Festival.
            when month($month_start_date) <= 2 and counted.expected_month_count = 1
                and joint_source.source is not null then 'months_1_2'
            when month($month_start_date) = 2 and counted.expected_month_count = 1
                and (counted.january_count = 0 or counted.base_january_count = 0) then 'months_1_2'
            when counted.covered_count < counted.expected_month_count
                or counted.base_covered_count < counted.expected_month_count then 'months_missing'
        end as blank_reason
    from counted
    left join filed on filed.period = counted.period and counted.source = 'direct_report'
    left join joint_source on joint_source.source = counted.source
)

select
    $month_start_date as month_start_date,
    source,
    period,
    first_date as first_month_start_date,
    base_first_date as base_first_month_start_date,
    make_date(year($month_start_date) - 1, month($month_start_date), 1) as base_month_start_date,
    cast(expected_month_count as integer) as expected_month_count,
    covered_count > 0 as is_reported,
    base_covered_count > 0 as is_base_reported,
    covered_count = expected_month_count as is_complete,
    base_covered_count = expected_month_count as is_base_complete,
    blank_reason is null as is_comparable,
    blank_reason,
    cast(coalesce(zero_return_count, 0) as bigint) as zero_return_count,
    cast(coalesce(base_zero_return_count, 0) as bigint) as base_zero_return_count,
    case
        when source = 'safe' then 'preliminary'
        when source = 'direct_report' and (outstanding_count > 0 or covered_count < expected_month_count) then 'preliminary'
        else 'final'
    end as status
from judged
order by source, period
