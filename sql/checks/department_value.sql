-- table:  checks.department_value
-- title:  部门共享表单个数值的事实 / Facts about single figures of departmental tables
-- grain:  one row per current departmental file and figure of DM-2, DM-3 and DM-5
-- reads:  raw.submission, raw.department_cell
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | DM-2, DM-3 or DM-5
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the figure
-- column: business_key | varchar | form/field/what the row is about
-- column: subject_zh | varchar | what the row is about
-- column: subject_en | varchar | the same
-- column: value_text | varchar | as typed
-- column: goods_amount | double | DM-2: exports or imports of goods
-- column: rate | double | DM-3: yuan per currency unit
-- column: previous_rate | double | DM-3: the rate before it in the same file, same currency
-- column: rate_change_pct | double | DM-3: change between the two
-- column: progress_pct | double | DM-5: progress of a task
-- method: docs/rules.md
with cell as (
    select c.*
    from raw.department_cell as c
    inner join raw.submission as s on s.submission_id = c.submission_id
    where s.kind = 'department'
      and s.is_current
      and c.section <> 'head'
      and c.form_code in ('DM-2', 'DM-3', 'DM-5')
),
label as (
    select
        submission_id,
        sheet,
        row_number,
        min(day) filter (where field in ('day', 'month')) as day,
        min(code) filter (where field = 'currency_code') as currency_code,
        min(number) filter (where field = 'per') as per,
        min(coalesce(code, text)) filter (where field = 'task_no') as task_no
    from cell
    group by submission_id, sheet, row_number
),
figure as (
    select
        c.submission_id,
        c.form_code,
        c.sheet,
        c.row_number,
        c.cell,
        c.field,
        c.text as value_text,
        l.day,
        l.currency_code,
        l.task_no,
        case
            when c.form_code = 'DM-3' then cast(c.number as double) / nullif(coalesce(cast(l.per as double), 1.0), 0)
            else cast(c.number as double)
        end as value
    from cell as c
    inner join label as l
        on l.submission_id = c.submission_id and l.sheet = c.sheet and l.row_number = c.row_number
    where (c.form_code = 'DM-2' and c.field in ('export', 'import'))
       or (c.form_code = 'DM-3' and c.field = 'rate')
       or (c.form_code = 'DM-5' and c.field = 'progress_pct')
),
ordered as (
    select
        *,
        lag(value) over (
            partition by submission_id, form_code, sheet, field, currency_code
            order by day, row_number
        ) as previous_value
    from figure
)
select
    submission_id,
    form_code,
    sheet,
    cell,
    form_code || '/' || field || '/' || coalesce(currency_code, task_no, '') || '/' || coalesce(cast(day as varchar), '')
        as business_key,
    coalesce(currency_code, task_no, case field when 'export' then '货物出口' else '货物进口' end)
        || coalesce(' × ' || cast(day as varchar), '') as subject_zh,
    coalesce(currency_code, task_no, case field when 'export' then 'goods exports' else 'goods imports' end)
        || coalesce(' × ' || cast(day as varchar), '') as subject_en,
    value_text,
    case when form_code = 'DM-2' then value end as goods_amount,
    case when form_code = 'DM-3' then value end as rate,
    case when form_code = 'DM-3' then previous_value end as previous_rate,
    case
        when form_code = 'DM-3' and previous_value > 0 then 100 * (value / nullif(previous_value, 0) - 1)
    end as rate_change_pct,
    case when form_code = 'DM-5' then value end as progress_pct
from ordered
order by submission_id, form_code, sheet, row_number, cell
