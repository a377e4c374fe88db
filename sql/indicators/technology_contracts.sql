-- table:  indicators.technology_contracts
-- title:  技术进出口合同 / Technology import and export contracts
-- grain:  one row per source, flow, measure and period
-- reads:  core.department_indicator, core.exchange_rate, core.period_coverage, core.technology_contract, reference.department_series
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | department (DM-4, all registrations of the city) or direct_report (FM-6, enterprises that report)
-- column: flow | varchar | export, import or total
-- column: measure | varchar | contract_count, contract_amount or technology_fee
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD, CNY, or empty for counts
-- column: amount | decimal(24,4) | currency units or contracts; empty when not reported
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: department | varchar | department that filed it; empty for direct reports
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
),

-- Contracts registered in the month as enterprises report them. Nobody reporting one is empty, not zero; a contract
-- whose value is withheld counts as a contract and adds no amount; an amount without a rate empties the sum.
direct_flow as (
    select month_start_date, flow, 'contract_count' as measure, '' as currency_code,
        cast(1 as decimal(24, 4)) as amount, 'value' as state
    from core.technology_contract
    where is_new_contract
    union all
    select month_start_date, flow, 'contract_amount' as measure, 'USD' as currency_code, added_contract_usd as amount, contract_state as state
    from core.technology_contract
    union all
    select month_start_date, flow, 'contract_amount' as measure, 'CNY' as currency_code, added_contract_cny as amount, contract_state as state
    from core.technology_contract
    union all
    select month_start_date, flow, 'technology_fee' as measure, 'USD' as currency_code, added_fee_usd as amount, fee_state as state
    from core.technology_contract
    union all
    select month_start_date, flow, 'technology_fee' as measure, 'CNY' as currency_code, added_fee_cny as amount, fee_state as state
    from core.technology_contract
),

direct_cell as (
    select month_start_date, flow, measure, currency_code, amount
    from direct_flow
    where state in ('value', 'zero')
    union all
    select month_start_date, 'total' as flow, measure, currency_code, amount
    from direct_flow
    where state in ('value', 'zero')
),

direct_summed as (
    select
        coverage.period,
        coverage.is_complete,
        coverage.is_comparable,
        coverage.blank_reason,
        coverage.status,
        cell.flow,
        cell.measure,
        cell.currency_code,
        case
            when coverage.is_complete
                and count(*) filter (where cell.month_start_date >= coverage.first_month_start_date)
                = count(cell.amount) filter (where cell.month_start_date >= coverage.first_month_start_date)
                then sum(cell.amount) filter (where cell.month_start_date >= coverage.first_month_start_date)
        end as amount,
        case
            when coverage.is_base_complete
                and count(*) filter (where cell.month_start_date <= coverage.base_month_start_date)
                = count(cell.amount) filter (where cell.month_start_date <= coverage.base_month_start_date)
                then sum(cell.amount) filter (where cell.month_start_date <= coverage.base_month_start_date)
        end as base_amount
    from direct_cell as cell
    inner join core.period_coverage as coverage
        on coverage.source = 'direct_report'
        and (
            (cell.month_start_date >= coverage.first_month_start_date and cell.month_start_date <= coverage.month_start_date)
            or (
                cell.month_start_date >= coverage.base_first_month_start_date
                and cell.month_start_date <= coverage.base_month_start_date
            )
        )
    where coverage.month_start_date = $month_start_date
    group by
        coverage.period, coverage.is_complete, coverage.is_base_complete, coverage.is_comparable, coverage.blank_reason, coverage.status,
        cell.flow, cell.measure, cell.currency_code
)

select
    $month_start_date as month_start_date,
    'department' as source,
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
union all
select
    $month_start_date as month_start_date,
    'direct_report' as source,
    flow,
    measure,
    period,
    nullif(currency_code, '') as currency_code,
    cast(amount as decimal(24, 4)) as amount,
    cast(base_amount as decimal(24, 4)) as base_amount,
    case
        when is_comparable and base_amount > 0
            then 100 * (cast(amount as double) / nullif(cast(base_amount as double), 0) - 1)
    end as growth_pct,
    case
        when amount is null and not is_complete then 'months_missing'
        when amount is null then 'not_reported'
        when not is_comparable then blank_reason
        when base_amount is null then 'no_base'
        when base_amount <= 0 then 'base_not_positive'
    end as growth_blank_reason,
    cast(null as varchar) as department,
    status
from direct_summed
order by source, flow, measure, period, currency_code
