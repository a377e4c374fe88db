-- table:  estimates.service_trade_mode_month
-- title:  按提供模式汇总（按月） / Service trade of the month by mode, profile and basis
-- grain:  one row per profile, flow, main item, mode and basis
-- reads:  estimates.service_trade_by_mode
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: profile | varchar | wto_base, wto_2020s or ons_2019
-- column: flow | varchar | export or import
-- column: main_item_code | varchar | one of the twelve main items SA to SL above the item
-- column: mode | varchar | 1, 2, 3_in_bop, 4, goods or out_of_scope
-- column: alloc_basis | varchar | declared, local, profile or fallback
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
-- method: docs/methods/trade_by_mode.md
select
    month_start_date,
    profile,
    flow,
    main_item_code,
    mode,
    alloc_basis,
    case when count(amount_usd) = count(*) then cast(sum(amount_usd) as decimal(24, 4)) end as amount_usd,
    case when count(amount_cny) = count(*) then cast(sum(amount_cny) as decimal(24, 4)) end as amount_cny
from estimates.service_trade_by_mode
where month_start_date = $month_start_date
group by month_start_date, profile, flow, main_item_code, mode, alloc_basis
order by profile, flow, main_item_code, mode, alloc_basis
