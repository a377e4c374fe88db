-- table:  checks.department_period
-- title:  部门共享表的期间 / Periods on departmental tables that are kept by month
-- grain:  one row per current departmental file and cell of DM-1, DM-2 or DM-3 with the period of a row
-- reads:  raw.submission, raw.department_cell
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | DM-1, DM-2 or DM-3
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the period: of the row, or of the head where rows have none of their own
-- column: business_key | varchar | form/period
-- column: subject_zh | varchar | empty: the place says enough
-- column: subject_en | varchar | empty
-- column: period_text | varchar | as typed
-- column: period_kind | varchar | month, months_1_2 (January and February together) or longer
-- column: is_rate_of_day_or_month | boolean | DM-3: the rate is of a day or a month; empty for other forms
-- column: is_counted_by_month | boolean | DM-1 and DM-2: a month, or January and February together; empty for other forms
-- method: docs/rules.md
with cell as (
    select c.*
    from raw.department_cell as c
    inner join raw.submission as s on s.submission_id = c.submission_id
    where s.kind = 'department'
      and s.is_current
      and c.form_code in ('DM-1', 'DM-2', 'DM-3')
),
-- Rows with a figure, and whether they say a period of their own; a rate of a day needs no month.
dated_row as (
    select
        submission_id,
        sheet,
        row_number,
        count(*) filter (where field = 'day' and day is not null) as day_count,
        count(*) filter (where field = 'month' and day is not null) as period_count,
        count(*) filter (where field in ('credit', 'debit', 'balance', 'export', 'import', 'rate')) as figure_count
    from cell
    where section = 'row'
    group by submission_id, sheet, row_number
),
undated_sheet as (
    select distinct
        submission_id,
        sheet
    from dated_row
    where figure_count > 0
      and day_count = 0
      and period_count = 0
),
period as (
    select
        c.submission_id, c.form_code, c.sheet, c.row_number, c.cell, c.text, c.code, c.day
    from cell as c
    inner join dated_row as r
        on r.submission_id = c.submission_id and r.sheet = c.sheet and r.row_number = c.row_number
    where c.section = 'row'
      and c.field = 'month'
      and c.day is not null
      and r.figure_count > 0
      and r.day_count = 0
    union all
    select
        c.submission_id, c.form_code, c.sheet, c.row_number, c.cell, c.text, c.code, c.day
    from cell as c
    inner join undated_sheet as u on u.submission_id = c.submission_id and u.sheet = c.sheet
    where c.section = 'head'
      and c.field = 'reference_month'
      and c.day is not null
),
classified as (
    select
        *,
        case
            when code = substr(cast(day as varchar), 1, 7) then 'month'
            when code = substr(cast(day as varchar), 1, 4) || '-M01-02' then 'months_1_2'
            else 'longer'
        end as period_kind
    from period
)
select
    submission_id,
    form_code,
    sheet,
    cell,
    form_code || '/' || coalesce(code, '') as business_key,
    cast(null as varchar) as subject_zh,
    cast(null as varchar) as subject_en,
    min(text) as period_text,
    period_kind,
    case when form_code = 'DM-3' then period_kind = 'month' end as is_rate_of_day_or_month,
    case when form_code <> 'DM-3' then period_kind in ('month', 'months_1_2') end as is_counted_by_month
from classified
group by submission_id, form_code, sheet, cell, code, period_kind
order by submission_id, form_code, sheet, cell
