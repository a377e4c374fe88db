-- Leaves of technology contracts as enterprises report them (FM-6): contracts counted when their number first appears,
-- and what each row adds: all of a new contract, of an amendment the difference to the value last accepted.
select
    month_start_date,
    case when $measure = 'technology_fee' then fee_line_id else line_id end as line_id,
    submission_id,
    enterprise_code,
    flow,
    contract_type as item_code,
    partner_code,
    case when $measure = 'contract_count' then 'count' else period_kind end as rate_kind,
    cast(
        case
            when $measure = 'contract_count' then 1
            when $measure = 'contract_amount' and $currency_code = 'USD' then contract_usd
            when $measure = 'contract_amount' then contract_cny
            when $currency_code = 'USD' then fee_usd
            else fee_cny
        end as decimal(30, 6)
    ) as line_amount,
    cast(
        case
            when $measure = 'contract_count' then 1
            when $measure = 'contract_amount' and $currency_code = 'USD' then added_contract_usd
            when $measure = 'contract_amount' then added_contract_cny
            when $currency_code = 'USD' then added_fee_usd
            else added_fee_cny
        end as decimal(30, 6)
    ) as amount,
    cast(null as decimal(9, 6)) as share_pct,
    case when not is_new_contract then 'amendment' end as basis
from (
    select contract.*, submission.period_kind
    from core.technology_contract as contract
    left join raw.submission as submission on submission.submission_id = contract.submission_id
) as filed
where month_start_date between $first_date and $last_date
  and $flow in ('total', flow)
  and (
      ($measure = 'contract_count' and is_new_contract)
      or ($measure = 'contract_amount' and contract_state in ('value', 'zero'))
      or ($measure = 'technology_fee' and fee_state in ('value', 'zero'))
  )
