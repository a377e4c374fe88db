-- table:  indicators.trade_total
-- title:  服务进出口总额 / Service trade: total, exports, imports and balance
-- grain:  one row per source, measure, scope, period and currency
-- reads:  core.service_trade_month, core.bop_services, core.period_coverage, reference.ebops_items, reference.mofcom_categories
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report, safe or customs: whose figures; never mixed within a row
-- column: measure | varchar | total (exports plus imports), exports, imports or balance (exports less imports)
-- column: scope | varchar | all, excluding_travel or knowledge_intensive
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: amount | decimal(24,4) | currency units, unrounded; empty when nothing was reported or a rate is missing
-- column: base_amount | decimal(24,4) | the same period a year earlier
-- column: growth_pct | double | per cent, unrounded; empty when undefined
-- column: growth_blank_reason | varchar | why growth is empty: not_reported, no_base, base_not_positive, months_missing, months_1_2; empty otherwise
-- column: status | varchar | preliminary or final
-- method: docs/methods/trade_total.md
with travel as (
    select item_code
    from reference.mofcom_categories
    where category_en = 'Travel'
),

item as (
    select
        item.item_code,
        item.is_knowledge_intensive,
        travel.item_code is not null as is_travel
    from reference.ebops_items as item
    left join travel on travel.item_code = item.item_code
    where item.level = 1
),

direct_cell as (
    select
        cell.month_start_date,
        cell.flow,
        currency.currency_code,
        case when currency.currency_code = 'USD' then cell.amount_usd else cell.amount_cny end as amount,
        coalesce(item.is_travel, false) as is_travel,
        coalesce(item.is_knowledge_intensive, false) as is_knowledge_intensive
    from core.service_trade_month as cell
    cross join (select 'USD' as currency_code union all select 'CNY' as currency_code) as currency
    left join item on item.item_code = cell.main_item_code
    where cell.month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and cell.month_start_date <= $month_start_date
),

direct_month as (
    select
        'direct_report' as source,
        month_start_date,
        flow,
        currency_code,
        count(*) as all_count,
        count(*) filter (where not is_travel) as excluding_travel_count,
        count(*) filter (where is_knowledge_intensive) as knowledge_intensive_count,
        case when count(*) = count(amount) then sum(amount) end as all_amount,
        case when count(*) filter (where not is_travel) = count(amount) filter (where not is_travel)
            then sum(amount) filter (where not is_travel) end as excluding_travel_amount,
        case when count(*) filter (where is_knowledge_intensive) = count(amount) filter (where is_knowledge_intensive)
            then sum(amount) filter (where is_knowledge_intensive) end as knowledge_intensive_amount
    from direct_cell
    group by month_start_date, flow, currency_code
),

bop_cell as (
    select
        cell.month_start_date,
        cell.period_kind,
        cell.flow,
        currency.currency_code,
        cell.item_code,
        case when currency.currency_code = 'USD' then cell.amount_usd else cell.amount_cny end as amount,
        item.item_code is not null as is_main_item,
        coalesce(item.is_travel, false) as is_travel,
        coalesce(item.is_knowledge_intensive, false) as is_knowledge_intensive
    from core.bop_services as cell
    cross join (select 'USD' as currency_code union all select 'CNY' as currency_code) as currency
    left join item on item.item_code = cell.item_code
    where cell.month_start_date >= make_date(year($month_start_date) - 1, 1, 1)
      and cell.month_start_date <= $month_start_date
),

-- The printed total S stands, also where its items add up to something else within rounding. Without one, all
-- main items are needed: part of a total is not a total.
bop_month as (
    select
        'safe' as source,
        month_start_date,
        period_kind,
        flow,
        currency_code,
        case
            when count(*) filter (where item_code = 'S') > 0 then max(amount) filter (where item_code = 'S')
            when count(amount) filter (where is_main_item) = (select count(*) from item) then sum(amount) filter (where is_main_item)
        end as all_amount,
        max(amount) filter (where is_travel) as travel_amount,
        case
            when count(amount) filter (where is_knowledge_intensive) = (select count(*) from item where is_knowledge_intensive)
                then sum(amount) filter (where is_knowledge_intensive)
        end as knowledge_intensive_amount
    from bop_cell
    group by month_start_date, period_kind, flow, currency_code
),

source_month as (
    select
        source, month_start_date, 'month' as period_kind, flow, currency_code,
        all_count, excluding_travel_count, knowledge_intensive_count,
        all_amount, excluding_travel_amount, knowledge_intensive_amount
    from direct_month
    union all
    select
        source, month_start_date, period_kind, flow, currency_code,
        1, 1, 1,
        all_amount, all_amount - travel_amount, knowledge_intensive_amount
    from bop_month
),

-- A month in which nobody had business of a scope has no row in it; a row without an amount is one unknown.
scope_month as (
    select source, month_start_date, period_kind, flow, currency_code, 'all' as scope, all_amount as amount
    from source_month
    where all_count > 0
    union all
    select source, month_start_date, period_kind, flow, currency_code, 'excluding_travel' as scope, excluding_travel_amount as amount
    from source_month
    where excluding_travel_count > 0
    union all
    select source, month_start_date, period_kind, flow, currency_code, 'knowledge_intensive' as scope, knowledge_intensive_amount as amount
    from source_month
    where knowledge_intensive_count > 0
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

-- Every row that could be printed, so that what nobody reported is an empty row and not a missing one.
frame as (
    select
        coverage.source,
        coverage.period,
        coverage.first_month_start_date,
        coverage.base_first_month_start_date,
        coverage.base_month_start_date,
        coverage.expected_month_count,
        coverage.is_reported,
        coverage.is_complete,
        coverage.is_base_complete,
        coverage.is_comparable,
        coverage.blank_reason,
        coverage.zero_return_count,
        coverage.base_zero_return_count,
        coverage.status,
        scope.scope,
        measure.measure,
        currency.currency_code
    from core.period_coverage as coverage
    cross join (
        select 'all' as scope
        union all
        select 'excluding_travel' as scope
        union all
        select 'knowledge_intensive' as scope
    ) as scope
    cross join (select distinct measure from measure) as measure
    cross join (select 'USD' as currency_code union all select 'CNY' as currency_code) as currency
    where coverage.month_start_date = $month_start_date
      and coverage.source in ('direct_report', 'safe')
),

summed as (
    select
        frame.source,
        frame.measure,
        frame.scope,
        frame.period,
        frame.currency_code,
        frame.is_reported,
        frame.is_complete,
        frame.is_base_complete,
        frame.expected_month_count,
        frame.is_comparable,
        frame.blank_reason,
        frame.status,
        frame.zero_return_count,
        frame.base_zero_return_count,
        case
            when count(amount.month_start_date) filter (where amount.month_start_date >= frame.first_month_start_date)
                = count(amount.amount) filter (where amount.month_start_date >= frame.first_month_start_date)
                and (frame.measure <> 'balance' or count(distinct amount.flow) filter (where amount.month_start_date >= frame.first_month_start_date) = 2)
                then sum(amount.amount * measure.sign) filter (where amount.month_start_date >= frame.first_month_start_date)
        end as amount,
        case
            when count(amount.month_start_date) filter (where amount.month_start_date <= frame.base_month_start_date)
                = count(amount.amount) filter (where amount.month_start_date <= frame.base_month_start_date)
                and (frame.measure <> 'balance' or count(distinct amount.flow) filter (where amount.month_start_date <= frame.base_month_start_date) = 2)
                then sum(amount.amount * measure.sign) filter (where amount.month_start_date <= frame.base_month_start_date)
        end as base_amount,
        count(amount.month_start_date) filter (where amount.month_start_date >= frame.first_month_start_date) as row_count,
        count(amount.month_start_date) filter (where amount.month_start_date <= frame.base_month_start_date) as base_row_count,
        -- Months and flows that are known; January and February in one figure are two.
        coalesce(sum(case when amount.amount is null then 0 when amount.period_kind = 'months_1_2' then 2 else 1 end)
            filter (where amount.month_start_date >= frame.first_month_start_date), 0) as known_cell_count,
        coalesce(sum(case when amount.amount is null then 0 when amount.period_kind = 'months_1_2' then 2 else 1 end)
            filter (where amount.month_start_date <= frame.base_month_start_date), 0) as base_known_cell_count,
        frame.expected_month_count * count(distinct measure.flow) as expected_cell_count
    from frame
    inner join measure on measure.measure = frame.measure
    left join scope_month as amount
        on amount.source = frame.source
        and amount.scope = frame.scope
        and amount.currency_code = frame.currency_code
        and amount.flow = measure.flow
        and (frame.period = 'ytd' or amount.period_kind = 'month')
        and (
            amount.month_start_date >= frame.first_month_start_date
            or (
                amount.month_start_date >= frame.base_first_month_start_date
                and amount.month_start_date <= frame.base_month_start_date
            )
        )
    group by
        frame.source, frame.measure, frame.scope, frame.period, frame.currency_code, frame.is_reported,
        frame.is_complete, frame.is_base_complete, frame.expected_month_count, frame.is_comparable,
        frame.blank_reason, frame.status, frame.zero_return_count, frame.base_zero_return_count
),

-- No line at all and at least one accepted zero return: somebody said "none", so the sum is zero. No line
-- and no zero return: silence, so the sum stays empty. A year to date lacks no month, and SAFE's figures lack no
-- flow of any month: a sum that is smaller than what it is called would be a wrong figure.
with_zero_returns as (
    select
        *,
        case
            when not is_complete then null
            when source = 'safe' and known_cell_count < expected_cell_count then null
            when row_count = 0 and zero_return_count > 0 then 0
            else amount
        end as known_amount,
        case
            when not is_base_complete then null
            when source = 'safe' and base_known_cell_count < expected_cell_count then null
            when base_row_count = 0 and base_zero_return_count > 0 then 0
            else base_amount
        end as known_base_amount
    from summed
)

select
    $month_start_date as month_start_date,
    source,
    measure,
    scope,
    period,
    currency_code,
    cast(known_amount as decimal(24, 4)) as amount,
    cast(known_base_amount as decimal(24, 4)) as base_amount,
    case
        when is_comparable and known_base_amount > 0
            then 100 * (cast(known_amount as double) / nullif(cast(known_base_amount as double), 0) - 1)
    end as growth_pct,
    case
        when known_amount is null and not is_reported then 'not_reported'
        when known_amount is null and not is_complete then 'months_missing'
        -- reported, but only as January and February in one figure
        when known_amount is null and (blank_reason = 'months_1_2' or (source = 'safe' and period = 'month' and row_count = 0)) then 'months_1_2'
        when known_amount is null and source = 'safe' and period = 'ytd' and known_cell_count > 0 then 'months_missing'
        when known_amount is null then 'not_reported'
        when not is_comparable then blank_reason
        when known_base_amount is null then 'no_base'
        when known_base_amount <= 0 then 'base_not_positive'
    end as growth_blank_reason,
    status
from with_zero_returns
order by source, measure, scope, period, currency_code
