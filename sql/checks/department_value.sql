-- table:  checks.department_value
-- title:  部门共享表单个数值的事实 / Facts about single figures of departmental tables
-- grain:  one row per current departmental file and figure of DM-1, DM-2, DM-3, DM-5 and DM-6
-- reads:  raw.submission, raw.department_cell, reference.units
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | DM-1, DM-2, DM-3, DM-5 or DM-6
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the figure
-- column: business_key | varchar | form/field/what the row is about
-- column: subject_zh | varchar | what the row is about
-- column: subject_en | varchar | the same
-- column: subject_period | varchar | month or day of the figure, 2020-03 or 2020-03-05; empty where its row gives none
-- column: value_text | varchar | as typed
-- column: goods_amount | double | DM-2: exports or imports of goods
-- column: rate | double | DM-3: yuan per currency unit
-- column: previous_rate | double | DM-3: the rate before it in the same file, same currency
-- column: rate_change_pct | double | DM-3: change between the two
-- column: progress_pct | double | DM-5: progress of a task
-- column: amount_in_currency_units | double | DM-1, DM-2, DM-6: size of the amount, currency units
-- method: docs/rules.md
with cell as (
    select c.*
    from raw.department_cell as c
    inner join raw.submission as s on s.submission_id = c.submission_id
    where s.kind = 'department'
      and s.is_current
      and c.section <> 'head'
      and c.form_code in ('DM-1', 'DM-2', 'DM-3', 'DM-5', 'DM-6')
),
sheet_unit as (
    select
        c.submission_id,
        c.sheet,
        min(c.code) as unit_code
    from raw.department_cell as c
    where c.section = 'head'
      and c.field = 'unit'
    group by c.submission_id, c.sheet
),
file_unit as (
    select
        submission_id,
        case when min(unit_code) = max(unit_code) then min(unit_code) end as unit_code
    from sheet_unit
    group by submission_id
),
label as (
    select
        submission_id,
        sheet,
        row_number,
        min(day) filter (where field in ('day', 'month')) as day,
        min(code) filter (where field in ('day', 'month')) as period_code,
        min(code) filter (where field = 'currency_code') as currency_code,
        min(code) filter (where field = 'unit') as unit_code,
        min(code) filter (where field = 'item_code') as item_code,
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
        l.period_code,
        l.currency_code,
        l.task_no,
        l.item_code,
        abs(cast(c.number as double)) * cast(u.unit_multiplier as double) as amount_in_currency_units,
        case
            when c.form_code = 'DM-3' then cast(c.number as double) / nullif(coalesce(cast(l.per as double), 1.0), 0)
            else cast(c.number as double)
        end as value
    from cell as c
    inner join label as l
        on l.submission_id = c.submission_id and l.sheet = c.sheet and l.row_number = c.row_number
    left join sheet_unit as s on s.submission_id = c.submission_id and s.sheet = c.sheet
    left join file_unit as f on f.submission_id = c.submission_id
    left join reference.units as u on u.unit_code = coalesce(l.unit_code, s.unit_code, f.unit_code)
    where (c.form_code = 'DM-1' and c.field in ('credit', 'debit', 'balance'))
       or (c.form_code = 'DM-6' and c.field = 'value')
       or (c.form_code = 'DM-2' and c.field in ('export', 'import'))
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
    form_code || '/' || field || '/' || coalesce(currency_code, task_no, item_code, '') || '/' || coalesce(cast(day as varchar), '')
        as business_key,
    coalesce(
        currency_code, task_no, item_code,
        case field when 'export' then '货物出口' when 'import' then '货物进口' else '金额' end
    ) as subject_zh,
    coalesce(
        currency_code, task_no, item_code,
        case field when 'export' then 'goods exports' when 'import' then 'goods imports' else 'amount' end
    ) as subject_en,
    coalesce(period_code, cast(day as varchar)) as subject_period,
    value_text,
    case when form_code = 'DM-2' then value end as goods_amount,
    case when form_code = 'DM-3' then value end as rate,
    case when form_code = 'DM-3' then previous_value end as previous_rate,
    case
        when form_code = 'DM-3' and previous_value > 0 then 100 * (value / nullif(previous_value, 0) - 1)
    end as rate_change_pct,
    case when form_code = 'DM-5' then value end as progress_pct,
    case when form_code in ('DM-1', 'DM-2', 'DM-6') then amount_in_currency_units end as amount_in_currency_units
from ordered
order by submission_id, form_code, sheet, row_number, cell
