-- Leaves of commercial presence out of direct reports: sales of services of affiliates in a year, of the latest
-- accepted sheet of each enterprise, direction and year that is known by the month of the row.
select
    affiliate.period_start_date as month_start_date,
    affiliate.line_id,
    affiliate.submission_id,
    affiliate.enterprise_code,
    affiliate.flow,
    affiliate.industry_code as item_code,
    affiliate.partner_code,
    'year' as rate_kind,
    cast(
        case when $currency_code = 'USD' then affiliate.services_usd else affiliate.services_cny end as decimal(30, 6)
    ) as line_amount,
    line_amount as amount,
    cast(null as decimal(9, 6)) as share_pct,
    cast(null as varchar) as basis
from (
    select
        *,
        sequence = max(sequence) over (partition by enterprise_code, direction, period_code) as is_latest
    from core.affiliate
    where month_start_date <= $month_start_date
) as affiliate
where affiliate.is_latest
  and affiliate.flow = $flow
  and affiliate.services_state in ('value', 'zero')
  and affiliate.period_start_date between $first_date and $last_date
