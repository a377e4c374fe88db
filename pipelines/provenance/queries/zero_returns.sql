-- Accepted zero returns: the leaves of a zero that nobody wrote into a line.
select
    month_start_date,
    cast(null as varchar) as line_id,
    submission_id,
    enterprise_code,
    cast(null as varchar) as flow,
    cast(null as varchar) as item_code,
    cast(null as varchar) as partner_code,
    'count' as rate_kind,
    cast(0 as decimal(30, 6)) as line_amount,
    cast(0 as decimal(30, 6)) as amount,
    cast(null as decimal(9, 6)) as share_pct,
    'zero_return' as basis
from validated.filing
where is_zero_return
  and month_start_date between $first_date and $last_date
