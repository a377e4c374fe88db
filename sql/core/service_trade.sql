-- table:  core.service_trade
-- title:  服务进出口（明细） / Service trade by enterprise, item and partner, in both currencies
-- grain:  one row per accepted leaf line with an amount
-- reads:  validated.service_trade_line, core.exchange_rate, core.item_ancestor
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: period_kind | varchar | month or months_1_2
-- column: flow | varchar | export or import
-- column: item_code | varchar | EBOPS 2010 item, sql/reference
-- column: main_item_code | varchar | one of the twelve main items SA to SL above the item
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
-- column: remote_share_pct | decimal(9,6) | declared share delivered remotely (mode 1), per cent; empty if not declared
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/leaf_lines.md
-- Each month converts at its own average rate; a January-February return at the mean of its two months.
with rate as (
    select
        'month' as period_kind,
        currency_code,
        cny_per_unit,
        usd_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
    union all
    select
        'months_1_2' as period_kind,
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)) as cny_per_unit,
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    where month_start_date in ($month_start_date, make_date(year($month_start_date), 1, 1))
    group by currency_code
    having count(*) = 2
),

line as (
    select
        *,
        cast(amount * unit_multiplier as decimal(24, 4)) as amount_declared
    from validated.service_trade_line
    where month_start_date = $month_start_date
      and not is_subtotal
      and not is_covered
      and amount is not null
),

main_item as (
    select
        item_code,
        main_item_code
    from core.item_ancestor
    where distance = 0
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.period_kind,
    line.flow,
    line.item_code,
    main_item.main_item_code,
    line.partner_code,
    -- What was declared in a currency stays to the cent in that currency, also in a month without any rate.
    case
        when line.currency_code = 'USD' then line.amount_declared
        else cast(line.amount_declared * rate.usd_per_unit as decimal(24, 4))
    end as amount_usd,
    case
        when line.currency_code = 'CNY' then line.amount_declared
        else cast(line.amount_declared * rate.cny_per_unit as decimal(24, 4))
    end as amount_cny,
    line.remote_share_pct,
    line.line_id
from line
left join rate on rate.period_kind = line.period_kind and rate.currency_code = line.currency_code
left join main_item on main_item.item_code = line.item_code
order by line.enterprise_code, line.flow, line.item_code, line.partner_code, line.line_id
