-- table:  indicators.trade_by_partner_group
-- title:  分国别组服务进出口 / Service trade by group of economies
-- grain:  one row per source, measure, group, period and currency; groups overlap
-- reads:  core.service_trade_month, core.period_coverage, indicators.trade_total, reference.partner_group_members
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: measure | varchar | total (exports plus imports), exports, imports or balance (exports less imports)
-- column: group_code | varchar | sql/reference: group of economies
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: amount | decimal(24,4) | currency units, unrounded; empty when nothing was reported or a rate is missing
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: share_pct | double | per cent of the same measure over all; empty when that is not positive
-- column: share_change_pp | double | percentage points against the same period a year earlier
-- column: contribution_pp | double | percentage points contributed to the growth of the whole
-- column: status | varchar | preliminary or final
-- method: docs/methods/trade_by_partner.md
with month_cell as (
    select
        cell.month_start_date,
        cell.flow,
        member.group_code as group_code,
        case when count(cell.amount_usd) = count(*) then sum(cell.amount_usd) end as amount_usd,
        case when count(cell.amount_cny) = count(*) then sum(cell.amount_cny) end as amount_cny
    from core.service_trade_month as cell
    inner join reference.partner_group_members as member
        on member.partner_code = cell.partner_code
        and (member.valid_from is null or member.valid_from <= cell.month_start_date)
        and (member.valid_until is null or member.valid_until >= cell.month_start_date)
    where cell.month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and cell.month_start_date <= $month_start_date
    group by cell.month_start_date, cell.flow, member.group_code
),

cell as (
    select 'direct_report' as source, month_start_date, flow, group_code, 'USD' as currency_code, amount_usd as amount
    from month_cell
    union all
    select 'direct_report' as source, month_start_date, flow, group_code, 'CNY' as currency_code, amount_cny as amount
    from month_cell
),

measure as (
    select 'export' as flow, 'total' as measure, 1 as sign
    union all
    select 'import' as flow, 'total' as measure, 1 as sign
    union all
    select 'export' as flow, 'exports' as measure, 1 as sign
    union all
    select 'import' as flow, 'imports' as measure, 1 as sign
    union all
    select 'export' as flow, 'balance' as measure, 1 as sign
    union all
    select 'import' as flow, 'balance' as measure, -1 as sign
),

-- A year to date that lacks a month is no year to date and stays empty.
-- One row a group_code, measure and period; a month whose rate is missing makes the sums over it unknown.
summed as (
    select
        coverage.source,
        coverage.period,
        coverage.is_complete,
        coverage.is_base_complete,
        coverage.is_comparable,
        coverage.blank_reason,
        coverage.status,
        measure.measure,
        cell.currency_code,
        cell.group_code,
        count(*) filter (where cell.month_start_date >= coverage.first_month_start_date) as row_count,
        count(*) filter (where cell.month_start_date <= coverage.base_month_start_date) as base_row_count,
        case
            when coverage.is_complete
                and count(*) filter (where cell.month_start_date >= coverage.first_month_start_date)
                = count(cell.amount) filter (where cell.month_start_date >= coverage.first_month_start_date)
                and (measure.measure <> 'balance' or count(distinct cell.flow) filter (where cell.month_start_date >= coverage.first_month_start_date) = 2)
                then sum(cell.amount * measure.sign) filter (where cell.month_start_date >= coverage.first_month_start_date)
        end as amount,
        case
            when coverage.is_base_complete
                and count(*) filter (where cell.month_start_date <= coverage.base_month_start_date)
                = count(cell.amount) filter (where cell.month_start_date <= coverage.base_month_start_date)
                and (measure.measure <> 'balance' or count(distinct cell.flow) filter (where cell.month_start_date <= coverage.base_month_start_date) = 2)
                then sum(cell.amount * measure.sign) filter (where cell.month_start_date <= coverage.base_month_start_date)
        end as base_amount
    from cell
    inner join measure on measure.flow = cell.flow
    inner join core.period_coverage as coverage
        on coverage.source = cell.source
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
        measure.measure, cell.currency_code, cell.group_code
),

whole as (
    select
        source,
        measure,
        period,
        currency_code,
        amount,
        base_amount
    from indicators.trade_total
    where month_start_date = $month_start_date
      and scope = 'all'
)

select
    $month_start_date as month_start_date,
    summed.source,
    summed.measure,
    summed.group_code,
    summed.period,
    summed.currency_code,
    cast(summed.amount as decimal(24, 4)) as amount,
    cast(summed.base_amount as decimal(24, 4)) as base_amount,
    case
        when summed.is_comparable and summed.base_amount > 0
            then 100 * (cast(summed.amount as double) / nullif(cast(summed.base_amount as double), 0) - 1)
    end as growth_pct,
    case
        when summed.amount is null and not summed.is_complete then 'months_missing'
        when summed.amount is null then 'not_reported'
        when not summed.is_comparable then summed.blank_reason
        when summed.base_amount is null then 'no_base'
        when summed.base_amount <= 0 then 'base_not_positive'
    end as growth_blank_reason,
    case
        when summed.measure <> 'balance' and whole.amount > 0
            then 100 * cast(summed.amount as double) / nullif(cast(whole.amount as double), 0)
    end as share_pct,
    case
        when summed.measure <> 'balance' and whole.amount > 0 and whole.base_amount > 0 and summed.is_comparable
            then 100 * cast(summed.amount as double) / nullif(cast(whole.amount as double), 0)
            - 100 * cast(summed.base_amount as double) / nullif(cast(whole.base_amount as double), 0)
    end as share_change_pp,
    -- What stands on one side only contributes all of that side: contributions add up to the growth of the whole.
    case
        when summed.measure <> 'balance' and whole.base_amount > 0 and summed.is_comparable
            then 100 * cast(
                case when summed.row_count = 0 then 0 else summed.amount end
                - case when summed.base_row_count = 0 then 0 else summed.base_amount end
                as double
            ) / nullif(cast(whole.base_amount as double), 0)
    end as contribution_pp,
    summed.status
from summed
inner join whole
    on whole.source = summed.source
    and whole.measure = summed.measure
    and whole.period = summed.period
    and whole.currency_code = summed.currency_code
order by summed.source, summed.measure, summed.period, summed.currency_code, summed.group_code
