-- Leaves of goods trade beside services: customs (DM-2) with direct reports, the BoP (DM-1) with the BoP.
select
    month_start_date,
    line_id,
    split_part(line_id, '/', 1) as submission_id,
    cast(null as varchar) as enterprise_code,
    flow,
    'G' as item_code,
    cast(null as varchar) as partner_code,
    period_kind as rate_kind,
    cast(case when $currency_code = 'USD' then amount_usd else amount_cny end as decimal(30, 6)) as line_amount,
    line_amount as amount,
    cast(null as decimal(9, 6)) as share_pct,
    cast(null as varchar) as basis
from core.goods_trade
where month_start_date between $first_date and $last_date
  and source = case when $source = 'direct_report' then 'customs' else $source end
