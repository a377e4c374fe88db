-- table:  checks.outsourcing_missing
-- title:  不再列示的服务外包合同 / Contracts that last month's return listed as running and this one leaves out
-- grain:  one row per current return with FM-3 and contract left out
-- reads:  raw.submission, raw.outsourcing_line, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-3
-- column: sheet | varchar | first sheet of the form
-- column: cell | varchar | empty: a contract left out stands in no cell
-- column: business_key | varchar | enterprise/contract
-- column: subject_zh | varchar | contract left out
-- column: subject_en | varchar | contract left out
-- column: contract_no | varchar | as typed last month
-- column: previous_period_text | varchar | last month, 2026-02
-- column: open_amount | double | value less executed since signing as of last month, the unit declared then
-- column: open_share_pct | double | the same, per cent of the value
-- column: unit_zh | varchar | that unit
-- column: unit_en | varchar | that unit
-- method: docs/rules.md
with line as (
    select l.*
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
      and l.period_kind = 'month'
),
return_with_form as (
    select submission_id, enterprise_code, sheet,
        row_number() over (partition by submission_id order by sheet, row_number) as place
    from line
    where contract_no_cell is not null
),
previous as (
    select
        l.enterprise_code,
        l.contract_no,
        l.month_start_date,
        max(l.unit_code) as unit_code,
        sum(l.contract_amount) as contract_amount,
        sum(l.executed_cumulative) as executed_cumulative,
        count(*) as row_count,
        count(l.executed_cumulative) as known_count,
        max(
            case
                when l.contract_status like '%完成%' or l.contract_status like '%完毕%' or l.contract_status like '%结清%'
                    or l.contract_status like '%结项%' or l.contract_status like '%终止%' or l.contract_status like '%中止%'
                    or l.contract_status like '%解除%' or l.contract_status like '%作废%'
                    or lower(l.contract_status) like '%complet%' or lower(l.contract_status) like '%finish%'
                    or lower(l.contract_status) like '%terminat%' or lower(l.contract_status) like '%cancel%'
                    then 1
                else 0
            end
        ) as is_over
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.month_start_date = $month_start_date - interval 1 month
      and l.contract_no <> ''
    group by l.enterprise_code, l.contract_no, l.month_start_date
),
present as (
    select distinct submission_id, contract_no
    from line
    where contract_no <> ''
)
select
    cast($month_start_date as date) as month_start_date,
    r.submission_id,
    'FM-3' as form_code,
    r.sheet,
    cast(null as varchar) as cell,
    r.enterprise_code || '/' || v.contract_no as business_key,
    '合同 ' || v.contract_no as subject_zh,
    'contract ' || v.contract_no as subject_en,
    v.contract_no,
    substr(cast(v.month_start_date as varchar), 1, 7) as previous_period_text,
    cast(v.contract_amount - v.executed_cumulative as double) as open_amount,
    100 * cast(v.contract_amount - v.executed_cumulative as double) / nullif(cast(v.contract_amount as double), 0) as open_share_pct,
    u.label_zh as unit_zh,
    u.label_en as unit_en
from return_with_form as r
inner join previous as v on v.enterprise_code = r.enterprise_code
left join present as p on p.submission_id = r.submission_id and p.contract_no = v.contract_no
left join reference.units as u on u.unit_code = v.unit_code
where r.place = 1
  and p.contract_no is null
  and v.is_over = 0
  and v.known_count = v.row_count
order by r.submission_id, v.contract_no
