-- Leaves of outsourcing: contract values of contracts that count as new, or amounts executed.
select
    contract.month_start_date,
    case when $measure = 'contract' then contract.contract_line_id else contract.line_id end as line_id,
    contract.submission_id,
    contract.enterprise_code,
    contract.shore as flow,
    contract.outsourcing_type as item_code,
    contract.partner_code,
    submission.period_kind as rate_kind,
    cast(
        case
            when $measure = 'contract' and $currency_code = 'USD' then contract.contract_usd
            when $measure = 'contract' then contract.contract_cny
            when $currency_code = 'USD' then contract.executed_usd
            else contract.executed_cny
        end as decimal(30, 6)
    ) as line_amount,
    line_amount as amount,
    cast(null as decimal(9, 6)) as share_pct,
    cast(null as varchar) as basis
from core.outsourcing_contract as contract
left join raw.submission as submission on submission.submission_id = contract.submission_id
where contract.month_start_date between $first_date and $last_date
  and (
      ($measure = 'contract' and contract.is_new_contract and contract.contract_state in ('value', 'zero'))
      or ($measure = 'executed' and contract.executed_state in ('value', 'zero'))
  )
  and (
      (contract.shore in ('offshore', 'onshore') and $scope in ('all', contract.shore))
      or (contract.shore is null and $scope = 'all')
  )
  and (
      (contract.outsourcing_type in ('ITO', 'BPO', 'KPO') and $outsourcing_type in ('all', contract.outsourcing_type))
      or (contract.outsourcing_type is null and $outsourcing_type = 'all')
  )
