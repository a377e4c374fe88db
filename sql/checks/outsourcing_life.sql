-- table:  checks.outsourcing_life
-- title:  服务外包合同的前后关系 / Each contract of FM-3 against what was accepted of it before
-- grain:  one row per current return and sheet row with a contract number
-- reads:  raw.submission, raw.outsourcing_line, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-3
-- column: sheet | varchar | sheet as named in the file
-- column: status_cell | varchar | cell of the status
-- column: kind_cell | varchar | cell of the type
-- column: shore_cell | varchar | cell of offshore or onshore
-- column: signed_cell | varchar | cell of the day of signature
-- column: amount_cell | varchar | cell of the contract's value; of the number where that is blank
-- column: executed_cell | varchar | cell of the amount executed this month; of the number where that is blank
-- column: business_key | varchar | enterprise/contract
-- column: subject_zh | varchar | contract × shore × partner
-- column: subject_en | varchar | contract × shore × partner
-- column: remark | varchar | 说明
-- column: contract_no | varchar | as typed
-- column: contract_amount | double | value of the contract, declared unit
-- column: executed | double | this month, declared unit
-- column: status_text | varchar | status as typed now
-- column: signed_text | varchar | day of signature, 2020-01-15
-- column: previous_period_text | varchar | month of the latest accepted return, up to twelve months back, that lists the contract, 2026-02
-- column: previous_status_text | varchar | status there
-- column: previous_amount | double | value of the contract there, in the unit declared now; empty in another currency
-- column: first_period_text | varchar | earliest month, up to twelve months back, with an amount executed
-- column: executed_after_end | double | executed this month although that return calls the contract finished or ended; empty where it does not
-- column: is_running_again | boolean | finished or ended there and running now, with nothing executed; empty where it was not over there or a status is unknown
-- column: is_amount_unchanged | boolean | the value is that of the earlier return, to a thousandth; empty without one, or in another currency
-- column: is_kind_unchanged | boolean | ITO, BPO or KPO is that of the earlier return; empty without one
-- column: is_shore_unchanged | boolean | offshore or onshore is that of the earlier return; empty without one
-- column: kind_text | varchar | type now
-- column: previous_kind_text | varchar | type there
-- column: shore_zh | varchar | shore now
-- column: shore_en | varchar | shore now
-- column: previous_shore_zh | varchar | shore there
-- column: previous_shore_en | varchar | shore there
-- column: is_signed_before_execution | boolean | signed no later than the month in which an amount was first executed; empty without a day or an amount
-- column: execution_period_text | varchar | that month
-- method: docs/rules.md
with named as (
    select
        l.*,
        s.is_current,
        s.is_current_accepted,
        -- what people write of a contract that is done or was broken off; anything else goes on
        case
            when l.contract_status is null then null
            when l.contract_status like '%完成%' or l.contract_status like '%完毕%' or l.contract_status like '%结清%'
                or l.contract_status like '%结项%' or l.contract_status like '%终止%' or l.contract_status like '%中止%'
                or l.contract_status like '%解除%' or l.contract_status like '%作废%'
                or lower(l.contract_status) like '%complet%' or lower(l.contract_status) like '%finish%'
                or lower(l.contract_status) like '%terminat%' or lower(l.contract_status) like '%cancel%'
                then case when l.contract_status like '%未完成%' then 'running' else 'over' end
            else 'running'
        end as state
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and l.contract_no <> ''
      and l.month_start_date <= $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
),
line as (
    select *
    from named
    where is_current
      and month_start_date = $month_start_date
),
earlier as (
    select
        n.*,
        row_number() over (partition by n.enterprise_code, n.contract_no order by n.month_start_date desc, n.sheet, n.row_number) as place
    from named as n
    inner join (select distinct enterprise_code, contract_no from line) as asked
        on asked.enterprise_code = n.enterprise_code and asked.contract_no = n.contract_no
    where n.is_current_accepted
      and n.month_start_date < $month_start_date
),
execution as (
    select enterprise_code, contract_no, min(month_start_date) as first_month_start_date
    from earlier
    where executed > 0
    group by enterprise_code, contract_no
),
joined as (
    select
        l.*,
        e.month_start_date as previous_month_start_date,
        e.contract_status as previous_status,
        e.state as previous_state,
        e.outsourcing_type as previous_kind,
        e.shore as previous_shore,
        case
            when e.currency_code = l.currency_code
                then cast(e.contract_amount as double) * cast(e.unit_multiplier as double) / cast(l.unit_multiplier as double)
        end as previous_amount,
        x.first_month_start_date,
        case
            when x.first_month_start_date is not null then x.first_month_start_date
            when l.executed > 0 then l.month_start_date
        end as execution_month_start_date
    from line as l
    left join earlier as e on e.enterprise_code = l.enterprise_code and e.contract_no = l.contract_no and e.place = 1
    left join execution as x on x.enterprise_code = l.enterprise_code and x.contract_no = l.contract_no
)
select
    j.month_start_date,
    j.submission_id,
    'FM-3' as form_code,
    j.sheet,
    j.contract_status_cell as status_cell,
    j.outsourcing_type_cell as kind_cell,
    j.shore_cell,
    j.signed_date_cell as signed_cell,
    coalesce(j.contract_amount_cell, j.contract_no_cell) as amount_cell,
    coalesce(j.executed_cell, j.contract_no_cell) as executed_cell,
    j.enterprise_code || '/' || j.contract_no as business_key,
    '合同 ' || j.contract_no
        || case j.shore when 'offshore' then ' × 离岸' when 'onshore' then ' × 在岸' else '' end
        || coalesce(' × ' || p.name_zh, '') as subject_zh,
    'contract ' || j.contract_no || coalesce(' × ' || j.shore, '') || coalesce(' × ' || p.name_en, '') as subject_en,
    j.remark,
    j.contract_no,
    cast(j.contract_amount as double) as contract_amount,
    cast(j.executed as double) as executed,
    j.contract_status as status_text,
    cast(j.signed_date as varchar) as signed_text,
    substr(cast(j.previous_month_start_date as varchar), 1, 7) as previous_period_text,
    j.previous_status as previous_status_text,
    j.previous_amount,
    substr(cast(j.first_month_start_date as varchar), 1, 7) as first_period_text,
    case when j.previous_state = 'over' then cast(j.executed as double) end as executed_after_end,
    case when j.previous_state = 'over' and coalesce(j.executed, 0) = 0 then j.state = 'running' end as is_running_again,
    -- the unit may have changed between the two returns, and with it the digits printed: a thousandth is no change
    abs(cast(j.contract_amount as double) - j.previous_amount) <= 0.001 * abs(j.previous_amount) as is_amount_unchanged,
    j.outsourcing_type = j.previous_kind as is_kind_unchanged,
    j.shore = j.previous_shore as is_shore_unchanged,
    j.outsourcing_type as kind_text,
    j.previous_kind as previous_kind_text,
    case j.shore when 'offshore' then '离岸' when 'onshore' then '在岸' end as shore_zh,
    j.shore as shore_en,
    case j.previous_shore when 'offshore' then '离岸' when 'onshore' then '在岸' end as previous_shore_zh,
    j.previous_shore as previous_shore_en,
    j.signed_date < j.execution_month_start_date + interval 1 month as is_signed_before_execution,
    substr(cast(j.execution_month_start_date as varchar), 1, 7) as execution_period_text
from joined as j
left join reference.partners as p on p.partner_code = j.partner_code
order by j.submission_id, j.sheet, j.row_number
