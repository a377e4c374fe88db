-- table:  indicators.technology_contracts
-- title:  技术进出口合同 / Technology import and export contracts (departmental)
-- grain:  one row per flow, measure and period
-- reads:  core.department_indicator, core.exchange_rate, reference.department_series
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: flow | varchar | export, import or total
-- column: measure | varchar | contract_count, contract_amount or technology_fee
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD, CNY, or empty for counts
-- column: amount | decimal(24,4) | currency units or contracts; empty when not reported
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: department | varchar | department that filed it
-- column: status | varchar | preliminary or final
-- method: docs/methods/technology_contracts.md
with series as (
    select distinct
        canonical_indicator,
        flow,
        measure
    from reference.department_series
    where family = 'technology_contracts'
),

-- Two months together convert at the mean of their rates.
rate as (
    select 'month' as period_kind, month_start_date, currency_code, cny_per_unit, usd_per_unit
    from core.exchange_rate
    union all
    select
        'months_1_2' as period_kind,
        min(month_start_date) as month_start_date,
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)) as cny_per_unit,
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    where month(month_start_date) <= 2
    group by year(month_start_date), currency_code
    having count(*) = 2
),

-- January and February in one figure hold unless both months are given on their own.
monthly as (
    select
        *,
        sum(case when period_kind = 'month' and month(period_start_date) <= 2 then 1 else 0 end) over same_year as single_count,
        sum(case when period_kind = 'months_1_2' then 1 else 0 end) over same_year as joint_count
    from core.department_indicator
    where is_city
      and period_kind in ('month', 'months_1_2')
      and value is not null
    window same_year as (partition by indicator, year(period_start_date))
),

filed as (
    select
        case when indicator.period_kind = 'months_1_2' then make_date(year(indicator.period_start_date), 2, 1) else indicator.period_start_date end as month_start_date,
        indicator.period_kind,
        series.flow,
        series.measure,
        indicator.department,
        indicator.is_provisional,
        indicator.value,
        indicator.currency_code as declared_currency_code,
        cast(indicator.value * indicator.unit_multiplier as decimal(24, 4)) as amount_declared,
        rate.usd_per_unit,
        rate.cny_per_unit
    from monthly as indicator
    inner join series on series.canonical_indicator = indicator.indicator
    left join rate
        on rate.period_kind = indicator.period_kind
        and rate.month_start_date = indicator.period_start_date
        and rate.currency_code = indicator.currency_code
    where case
            when indicator.period_kind = 'months_1_2' then indicator.single_count < 2
            else indicator.joint_count = 0 or indicator.single_count = 2 or month(indicator.period_start_date) > 2
        end
      and indicator.period_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and indicator.period_end_date <= cast($month_start_date + interval 1 month - interval 1 day as date)
),

flow_cell as (
    select month_start_date, period_kind, flow, measure, department, is_provisional, '' as currency_code,
        cast(value as decimal(24, 4)) as amount
    from filed
    where measure = 'contract_count'
    union all
    select month_start_date, period_kind, flow, measure, department, is_provisional, 'USD' as currency_code,
        case when declared_currency_code = 'USD' then amount_declared else cast(amount_declared * usd_per_unit as decimal(24, 4)) end as amount
    from filed
    where measure <> 'contract_count' and declared_currency_code is not null
    union all
    select month_start_date, period_kind, flow, measure, department, is_provisional, 'CNY' as currency_code,
        case when declared_currency_code = 'CNY' then amount_declared else cast(amount_declared * cny_per_unit as decimal(24, 4)) end as amount
    from filed
    where measure <> 'contract_count' and declared_currency_code is not null
),

-- Exports plus imports only of months for which both were filed.
cell as (
    select month_start_date, period_kind, flow, measure, department, is_provisional, currency_code, amount
    from flow_cell
    union all
    select
        month_start_date,
        period_kind,
        'total' as flow,
        measure,
        max(department) as department,
        max(case when is_provisional then 1 else 0 end) = 1 as is_provisional,
        currency_code,
        case when count(amount) = 2 then sum(amount) end as amount
    from flow_cell
    group by month_start_date, period_kind, measure, currency_code
),

span as (
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

summed as (
    select
        cell.flow,
        cell.measure,
        span.period,
        cell.currency_code,
        span.expected_month_count,
        -- A cumulative figure needs every month since January.
        count(*) filter (where cell.month_start_date >= span.first_date) as row_count,
        case
            when sum(cell.month_count) filter (where cell.month_start_date >= span.first_date) = span.expected_month_count
                then sum(cell.amount) filter (where cell.month_start_date >= span.first_date)
        end as amount,
        case
            when sum(cell.month_count) filter (
                where cell.month_start_date >= span.base_first_date
                  and cell.month_start_date <= make_date(year($month_start_date) - 1, month($month_start_date), 1)
            ) = span.expected_month_count
                then sum(cell.amount) filter (
                    where cell.month_start_date >= span.base_first_date
                      and cell.month_start_date <= make_date(year($month_start_date) - 1, month($month_start_date), 1)
                )
        end as base_amount,
        max(cell.department) filter (where cell.month_start_date >= span.first_date) as department,
        max(case when cell.is_provisional then 1 else 0 end) filter (where cell.month_start_date >= span.first_date) as provisional_mark
    from (
        select
            *,
            case when amount is null then 0 when period_kind = 'months_1_2' then 2 else 1 end as month_count
        from cell
    ) as cell
    inner join span on span.period = 'ytd' or cell.period_kind = 'month'
    group by cell.flow, cell.measure, span.period, cell.currency_code, span.expected_month_count
)

select
    $month_start_date as month_start_date,
    flow,
    measure,
    period,
    nullif(currency_code, '') as currency_code,
    cast(amount as decimal(24, 4)) as amount,
    cast(base_amount as decimal(24, 4)) as base_amount,
    case
        when base_amount > 0 then 100 * (cast(amount as double) / nullif(cast(base_amount as double), 0) - 1)
    end as growth_pct,
    case
        when amount is null and row_count > 0 and period = 'ytd' then 'months_missing'
        when amount is null then 'not_reported'
        when base_amount is null then 'no_base'
        when base_amount <= 0 then 'base_not_positive'
    end as growth_blank_reason,
    department,
    case when provisional_mark = 0 then 'final' else 'preliminary' end as status
from summed
order by flow, measure, period, currency_code
