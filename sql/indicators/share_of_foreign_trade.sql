-- table:  indicators.share_of_foreign_trade
-- title:  服务贸易占对外贸易比重 / Share of services in foreign trade, S/(S+G)
-- grain:  one row per source, period and currency
-- reads:  indicators.trade_total, core.goods_trade, core.period_coverage
-- param:  month_start_date | date
-- param:  services_source | varchar
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report (S from returns, G from customs) or safe (S and G on the BoP basis)
-- column: is_headline | boolean | the source that the bureau has chosen for its headline
-- column: period | varchar | month, or ytd: January to this month
-- column: currency_code | varchar | USD or CNY; each is computed on its own, never one from the other
-- column: services_amount | decimal(24,4) | S = modes 1, 2 and 4; exports plus imports
-- column: goods_amount | decimal(24,4) | G, exports plus imports, same months
-- column: share_pct | double | S/(S+G), per cent
-- column: base_share_pct | double | the same period a year earlier
-- column: change_pp | double | percentage points
-- column: services_to_goods_pct | double | S/G, per cent: the other denominator in circulation, for comparison only
-- column: blank_reason | varchar | why the share is empty: not_reported or months_missing
-- column: status | varchar | preliminary or final
-- method: docs/methods/share_of_foreign_trade.md
with pairing as (
    -- Services and goods of one source pair: returns go with customs, the BoP with the BoP, never crosswise.
    select 'direct_report' as source, 'direct_report' as services_source, 'customs' as goods_source
    union all
    select 'safe' as source, 'safe' as services_source, 'safe' as goods_source
),

goods_cell as (
    select source, month_start_date, 'USD' as currency_code, amount_usd as amount, flow, period_kind
    from core.goods_trade
    union all
    select source, month_start_date, 'CNY' as currency_code, amount_cny as amount, flow, period_kind
    from core.goods_trade
),

frame as (
    select
        pairing.source,
        pairing.goods_source,
        coverage.period,
        coverage.first_month_start_date,
        coverage.base_first_month_start_date,
        coverage.base_month_start_date,
        coverage.is_reported,
        coverage.is_complete,
        coverage.is_base_complete,
        case when coverage.period = 'month' then 1 else month($month_start_date) end as expected_month_count,
        coverage.status,
        services.currency_code,
        services.amount as services_amount,
        services.base_amount as services_base_amount
    from pairing
    inner join core.period_coverage as coverage on coverage.source = pairing.services_source
    inner join indicators.trade_total as services
        on services.month_start_date = coverage.month_start_date
        and services.source = pairing.services_source
        and services.period = coverage.period
    where coverage.month_start_date = $month_start_date
      and services.measure = 'total'
      and services.scope = 'all'
),

paired as (
    select
        frame.source,
        frame.period,
        frame.currency_code,
        frame.is_reported,
        frame.is_complete,
        frame.is_base_complete,
        frame.status,
        frame.services_amount,
        frame.services_base_amount,
        -- Both flows of every month, or no goods total at all.
        case
            when sum(case when goods.amount is null then 0 when goods.period_kind = 'months_1_2' then 2 else 1 end)
                filter (where goods.month_start_date >= frame.first_month_start_date) = 2 * frame.expected_month_count
                then sum(goods.amount) filter (where goods.month_start_date >= frame.first_month_start_date)
        end as goods_amount,
        case
            when sum(case when goods.amount is null then 0 when goods.period_kind = 'months_1_2' then 2 else 1 end)
                filter (where goods.month_start_date <= frame.base_month_start_date) = 2 * frame.expected_month_count
                then sum(goods.amount) filter (where goods.month_start_date <= frame.base_month_start_date)
        end as goods_base_amount
    from frame
    left join goods_cell as goods
        on goods.source = frame.goods_source
        and goods.currency_code = frame.currency_code
        -- January and February in one figure are of the year to date, never of February.
        and (frame.period = 'ytd' or goods.period_kind = 'month')
        and (
            (goods.month_start_date >= frame.first_month_start_date and goods.month_start_date <= $month_start_date)
            or (
                goods.month_start_date >= frame.base_first_month_start_date
                and goods.month_start_date <= frame.base_month_start_date
            )
        )
    group by
        frame.source, frame.period, frame.currency_code, frame.is_reported, frame.is_complete, frame.is_base_complete,
        frame.status, frame.services_amount, frame.services_base_amount, frame.expected_month_count
),

computed as (
    select
        *,
        case
            when is_complete and services_amount + goods_amount > 0
                then 100 * cast(services_amount as double) / nullif(cast(services_amount + goods_amount as double), 0)
        end as share_pct,
        case
            when is_base_complete and services_base_amount + goods_base_amount > 0
                then 100 * cast(services_base_amount as double) / nullif(cast(services_base_amount + goods_base_amount as double), 0)
        end as base_share_pct
    from paired
)

select
    $month_start_date as month_start_date,
    source,
    source = $services_source as is_headline,
    period,
    currency_code,
    cast(services_amount as decimal(24, 4)) as services_amount,
    cast(goods_amount as decimal(24, 4)) as goods_amount,
    share_pct,
    base_share_pct,
    share_pct - base_share_pct as change_pp,
    case
        when share_pct is not null and goods_amount > 0
            then 100 * cast(services_amount as double) / nullif(cast(goods_amount as double), 0)
    end as services_to_goods_pct,
    case
        when share_pct is not null then null
        when not is_reported then 'not_reported'
        when not is_complete then 'months_missing'
        when services_amount is null or goods_amount is null then 'not_reported'
        else 'months_missing'
    end as blank_reason,
    status
from computed
order by source, period, currency_code
