-- table:  indicators.trade_by_mode
-- title:  按提供模式分的服务进出口（测算） / Service trade by mode of supply (estimate)
-- grain:  one row per source, profile, measure, mode, period and currency
-- reads:  estimates.service_trade_mode_month, core.period_coverage
-- param:  month_start_date | date
-- param:  mode_profile | varchar
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: profile | varchar | wto_base, wto_2020s or ons_2019
-- column: is_default_profile | boolean | the profile that the bureau has chosen
-- column: measure | varchar | total (exports plus imports), exports, imports or balance (exports less imports)
-- column: mode | varchar | 1, 2, 4, 3_in_bop, goods or out_of_scope
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: amount | decimal(24,4) | currency units, unrounded; empty when nothing was reported or a rate is missing
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: share_pct | double | per cent of the same measure over all modes
-- column: share_change_pp | double | percentage points against the same period a year earlier
-- column: status | varchar | preliminary or final
-- method: docs/methods/trade_by_mode.md
with month_cell as (
    select
        month_start_date,
        profile,
        flow,
        mode,
        case when count(amount_usd) = count(*) then sum(amount_usd) end as amount_usd,
        case when count(amount_cny) = count(*) then sum(amount_cny) end as amount_cny
    from estimates.service_trade_mode_month
    where month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and month_start_date <= $month_start_date
    group by month_start_date, profile, flow, mode
),

cell as (
    select month_start_date, profile, flow, mode, 'USD' as currency_code, amount_usd as amount
    from month_cell
    union all
    select month_start_date, profile, flow, mode, 'CNY' as currency_code, amount_cny as amount
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
        coverage.is_complete,
        coverage.is_base_complete,
        coverage.is_comparable,
        coverage.blank_reason,
        coverage.status,
        cell.profile,
        measure.measure,
        cell.mode,
        cell.currency_code,
        count(*) filter (where cell.month_start_date >= coverage.first_month_start_date) as row_count,
        count(*) filter (where cell.month_start_date <= coverage.base_month_start_date) as base_row_count,
        count(cell.amount) filter (where cell.month_start_date >= coverage.first_month_start_date) as known_count,
        count(cell.amount) filter (where cell.month_start_date <= coverage.base_month_start_date) as base_known_count,
        sum(cell.amount) filter (where cell.month_start_date >= coverage.first_month_start_date) as amount,
        sum(cell.amount) filter (where cell.month_start_date <= coverage.base_month_start_date) as base_amount
    from cell
    inner join measure on measure.flow = cell.flow
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
        cell.profile, measure.measure, cell.mode, cell.currency_code
),

whole as (
    select
        source,
        period,
        is_complete,
        is_base_complete,
        is_comparable,
        blank_reason,
        status,
        profile,
        measure,
        currency_code,
        sum(row_count) as row_count,
        sum(base_row_count) as base_row_count,
        -- A year to date that lacks a month is no year to date.
        case when is_complete and sum(row_count) = sum(known_count) then sum(amount) end as amount,
        case when is_base_complete and sum(base_row_count) = sum(base_known_count) then sum(base_amount) end as base_amount
    from summed
    group by source, period, is_complete, is_base_complete, is_comparable, blank_reason, status, profile, measure, currency_code
),

mode as (
    select '1' as mode
    union all
    select '2' as mode
    union all
    select '3_in_bop' as mode
    union all
    select '4' as mode
    union all
    select 'goods' as mode
    union all
    select 'out_of_scope' as mode
),

-- Where trade was reported, a mode to which nothing of it was allocated is zero: that is the estimate, not silence.
filled as (
    select
        whole.source,
        whole.profile,
        whole.measure,
        mode.mode,
        whole.period,
        whole.currency_code,
        whole.is_complete,
        whole.is_comparable,
        whole.blank_reason,
        whole.status,
        whole.amount as whole_amount,
        whole.base_amount as whole_base_amount,
        case when whole.row_count > 0 and whole.amount is not null then coalesce(summed.amount, 0) end as amount,
        case when whole.base_row_count > 0 and whole.base_amount is not null then coalesce(summed.base_amount, 0) end as base_amount
    from whole
    cross join mode
    left join summed
        on summed.source = whole.source
        and summed.profile = whole.profile
        and summed.measure = whole.measure
        and summed.period = whole.period
        and summed.currency_code = whole.currency_code
        and summed.mode = mode.mode
)

select
    $month_start_date as month_start_date,
    source,
    profile,
    profile = $mode_profile as is_default_profile,
    measure,
    mode,
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
    case when whole_amount > 0 then 100 * cast(amount as double) / nullif(cast(whole_amount as double), 0) end as share_pct,
    case
        when whole_amount > 0 and whole_base_amount > 0 and is_comparable
            then 100 * cast(amount as double) / nullif(cast(whole_amount as double), 0)
            - 100 * cast(base_amount as double) / nullif(cast(whole_base_amount as double), 0)
    end as share_change_pp,
    status
from filled
order by source, profile, measure, mode, period, currency_code
