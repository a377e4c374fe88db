-- table:  core.service_trade_month
-- title:  服务进出口（按月汇总） / Service trade of the month by flow, main item, partner and district
-- grain:  one row per flow, main item, partner and district
-- reads:  core.service_trade
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: flow | varchar | export or import
-- column: main_item_code | varchar | one of the twelve main items SA to SL above the item
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
-- column: line_count | bigint | leaf lines
-- column: enterprise_count | bigint | enterprises with such a line
-- method: docs/methods/trade_total.md
select
    month_start_date,
    flow,
    main_item_code,
    partner_code,
    district_code,
    -- A line without a rate makes the sum unknown, not smaller.
    case when count(amount_usd) = count(*) then cast(sum(amount_usd) as decimal(24, 4)) end as amount_usd,
    case when count(amount_cny) = count(*) then cast(sum(amount_cny) as decimal(24, 4)) end as amount_cny,
    count(*) as line_count,
    count(distinct enterprise_code) as enterprise_count
from core.service_trade
where month_start_date = $month_start_date
group by month_start_date, flow, main_item_code, partner_code, district_code
order by flow, main_item_code, partner_code, district_code
