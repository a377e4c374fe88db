-- table:  indicators.mode_basis
-- title:  四种模式测算依据 / What the split over modes rests on
-- grain:  one row per source, profile, measure, basis, period and currency
-- reads:  estimates.service_trade_mode_month, core.period_coverage
-- param:  month_start_date | date
-- param:  mode_profile | varchar
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: profile | varchar | wto_base, wto_2020s or ons_2019
-- column: is_default_profile | boolean | the profile that the bureau has chosen
-- column: measure | varchar | total (exports plus imports), exports, imports or balance (exports less imports)
-- column: alloc_basis | varchar | declared, local, profile or fallback
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: amount | decimal(24,4) | currency units, unrounded; empty when nothing was reported or a rate is missing
-- column: share_pct | double | per cent of the value that rests on this basis
-- column: status | varchar | preliminary or final
-- method: docs/methods/trade_by_mode.md
with month_cell as (
    select
        month_start_date,
        profile,
        flow,
        alloc_basis,
        case when count(amount_usd) = count(*) then sum(amount_usd) end as amount_usd,
        case when count(amount_cny) = count(*) then sum(amount_cny) end as amount_cny
    from estimates.service_trade_mode_month
    where month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and month_start_date <= $month_start_date
    group by month_start_date, profile, flow, alloc_basis
),

cell as (
    select month_start_date, profile, flow, alloc_basis, 'USD' as currency_code, amount_usd as amount
    from month_cell
    union all
    select month_start_date, profile, flow, alloc_basis, 'CNY' as currency_code, amount_cny as amount
    from month_cell
),

measure as (
    select 'export' as flow, 'total' as measure
    union all
    select 'import' as flow, 'total' as measure
    union all
    select 'export' as flow, 'exports' as measure
    union all
    select 'import' as flow, 'imports' as measure
),

summed as (
    select
        coverage.source,
        coverage.period,
        coverage.status,
        cell.profile,
        measure.measure,
        cell.alloc_basis,
        cell.currency_code,
        case when coverage.is_complete and count(cell.amount) = count(*) then sum(cell.amount) end as amount
    from cell
    inner join measure on measure.flow = cell.flow
    inner join core.period_coverage as coverage
        on coverage.source = 'direct_report'
        and cell.month_start_date >= coverage.first_month_start_date
    where coverage.month_start_date = $month_start_date
    group by
        coverage.source, coverage.period, coverage.is_complete, coverage.status,
        cell.profile, measure.measure, cell.alloc_basis, cell.currency_code
),

shared as (
    select
        *,
        count(*) over whole as basis_count,
        count(amount) over whole as known_count,
        sum(amount) over whole as whole_amount
    from summed
    window whole as (partition by source, period, profile, measure, currency_code)
)

select
    $month_start_date as month_start_date,
    source,
    profile,
    profile = $mode_profile as is_default_profile,
    measure,
    alloc_basis,
    period,
    currency_code,
    cast(amount as decimal(24, 4)) as amount,
    case
        when basis_count = known_count and whole_amount > 0
            then 100 * cast(amount as double) / nullif(cast(whole_amount as double), 0)
    end as share_pct,
    status
from shared
order by source, profile, measure, alloc_basis, period, currency_code
