-- Leaves of every sum over the split by mode: each accepted line's part, with the share applied and its basis.
select
    part.month_start_date,
    part.line_id,
    line.submission_id,
    part.enterprise_code,
    part.flow,
    part.item_code,
    part.partner_code,
    line.period_kind as rate_kind,
    cast(case when $currency_code = 'USD' then line.amount_usd else line.amount_cny end as decimal(30, 6)) as line_amount,
    cast(case when $currency_code = 'USD' then part.amount_usd else part.amount_cny end as decimal(30, 6)) as amount,
    part.share_pct,
    part.mode || ':' || part.alloc_basis || coalesce(':' || part.share_item_code, '') as basis
from estimates.service_trade_by_mode as part
left join core.service_trade as line
    on line.month_start_date = part.month_start_date
    and line.line_id = part.line_id
where part.month_start_date between $first_date and $last_date
  and part.profile = $profile
  and ($mode is null or part.mode = $mode)
  and ($alloc_basis is null or part.alloc_basis = $alloc_basis)
  and (
      $measure = 'total'
      or ($measure = 'exports' and part.flow = 'export')
      or ($measure = 'imports' and part.flow = 'import')
  )
