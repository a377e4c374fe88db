-- table:  indicators.outsourcing
-- title:  服务外包 / Service outsourcing: contract value and executed value
-- grain:  one row per scope, type, measure, period and currency
-- reads:  core.outsourcing_contract, core.period_coverage
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: scope | varchar | all, offshore or onshore
-- column: outsourcing_type | varchar | all, ITO, BPO or KPO
-- column: measure | varchar | contract (value of contracts newly signed) or executed
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: amount | decimal(24,4) | currency units, unrounded; empty when nothing was reported or a rate is missing
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: contract_count | bigint | contracts counted
-- column: status | varchar | preliminary or final
-- method: docs/methods/outsourcing.md
with month_cell as (
    select
        month_start_date,
        coalesce(shore, '') as shore,
        coalesce(outsourcing_type, '') as outsourcing_type,
        -- The value of a contract listed in an earlier month is not signed again: zero, not unknown. A new contract
        -- whose value is blank or withheld adds nothing and blanks nobody else's; a value without a rate is unknown.
        coalesce(sum(contract_usd) filter (where is_new_contract), 0) as contract_usd,
        coalesce(sum(contract_cny) filter (where is_new_contract), 0) as contract_cny,
        count(*) filter (where is_new_contract) as new_contract_count,
        count(*) filter (where is_new_contract and contract_state in ('value', 'zero')) as valued_count,
        count(contract_usd) filter (where is_new_contract) as contract_usd_count,
        count(contract_cny) filter (where is_new_contract) as contract_cny_count,
        sum(executed_usd) as executed_usd,
        sum(executed_cny) as executed_cny,
        count(executed_usd) as executed_usd_count,
        count(executed_cny) as executed_cny_count,
        count(*) filter (where executed_state in ('value', 'zero')) as executed_count
    from core.outsourcing_contract
    where month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and month_start_date <= $month_start_date
    group by month_start_date, coalesce(shore, ''), coalesce(outsourcing_type, '')
),

cell as (
    select month_start_date, shore, outsourcing_type, 'contract' as measure, 'USD' as currency_code,
        case when contract_usd_count = valued_count then contract_usd end as amount, new_contract_count as contract_count
    from month_cell
    where new_contract_count = 0 or valued_count > 0
    union all
    select month_start_date, shore, outsourcing_type, 'contract' as measure, 'CNY' as currency_code,
        case when contract_cny_count = valued_count then contract_cny end as amount, new_contract_count as contract_count
    from month_cell
    where new_contract_count = 0 or valued_count > 0
    union all
    select month_start_date, shore, outsourcing_type, 'executed' as measure, 'USD' as currency_code,
        case when executed_usd_count = executed_count then executed_usd end as amount, executed_count as contract_count
    from month_cell
    where executed_count > 0
    union all
    select month_start_date, shore, outsourcing_type, 'executed' as measure, 'CNY' as currency_code,
        case when executed_cny_count = executed_count then executed_cny end as amount, executed_count as contract_count
    from month_cell
    where executed_count > 0
),

scope as (
    select 'offshore' as shore, 'offshore' as scope
    union all
    select 'onshore' as shore, 'onshore' as scope
    union all
    select 'offshore' as shore, 'all' as scope
    union all
    select 'onshore' as shore, 'all' as scope
    union all
    select '' as shore, 'all' as scope
),

kind as (
    select 'ITO' as filed_type, 'ITO' as outsourcing_type
    union all
    select 'BPO' as filed_type, 'BPO' as outsourcing_type
    union all
    select 'KPO' as filed_type, 'KPO' as outsourcing_type
    union all
    select 'ITO' as filed_type, 'all' as outsourcing_type
    union all
    select 'BPO' as filed_type, 'all' as outsourcing_type
    union all
    select 'KPO' as filed_type, 'all' as outsourcing_type
    union all
    select '' as filed_type, 'all' as outsourcing_type
),

summed as (
    select
        coverage.source,
        coverage.period,
        coverage.is_complete,
        coverage.is_comparable,
        coverage.blank_reason,
        coverage.status,
        scope.scope,
        kind.outsourcing_type,
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
        end as base_amount,
        sum(cell.contract_count) filter (where cell.month_start_date >= coverage.first_month_start_date) as contract_count
    from cell
    inner join scope on scope.shore = cell.shore
    inner join kind on kind.filed_type = cell.outsourcing_type
    inner join core.period_coverage as coverage
        on coverage.source = 'direct_report'
        and (
            cell.month_start_date >= coverage.first_month_start_date
            or (
                cell.month_start_date >= coverage.base_first_month_start_date
                and cell.month_start_date <= coverage.base_month_start_date
            )
        )
    where coverage.month_start_date = $month_start_date
    group by
        coverage.source, coverage.period, coverage.is_complete, coverage.is_base_complete, coverage.is_comparable, coverage.blank_reason, coverage.status,
        scope.scope, kind.outsourcing_type, cell.measure, cell.currency_code
)

select
    $month_start_date as month_start_date,
    source,
    scope,
    outsourcing_type,
    measure,
    period,
    currency_code,
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
    cast(coalesce(contract_count, 0) as bigint) as contract_count,
    status
from summed
order by source, scope, outsourcing_type, measure, period, currency_code
