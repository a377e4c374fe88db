-- table:  validated.department_cell
-- title:  审核通过的部门共享表单元格 / Cells of accepted departmental tables, each with its period and unit; rows of a closed month, and of what was never closed before it, from the tables in force at its closing
-- grain:  one row per filled cell in a row of a departmental table that counts in the row's month
-- reads:  raw.department_cell, raw.submission, raw.month_closing, raw.department_at_closing, reference.units
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: a later table wins over an earlier one for the same key
-- column: department | varchar | department that filed it
-- column: form_code | varchar | DM-1 ... DM-6
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: field | varchar | field of the form layout
-- column: number | decimal(30,10) | for number fields
-- column: code | varchar | normalised code or text
-- column: day | date | for dates
-- column: text | varchar | as typed
-- column: state | varchar | value, zero, withheld, not_applicable or invalid
-- column: period_code | varchar | the row's own period, else that of the head: 2020-03, 2020, 2020-H1 ...
-- column: period_start_date | date | first day of that period
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/department_tables.md
with accepted_cell as (
    select
        cell.*,
        submission.sequence,
        submission.department as filed_by,
        submission.is_current_accepted
    from raw.department_cell as cell
    inner join raw.submission as submission on submission.submission_id = cell.submission_id
    where submission.kind = 'department'
      and (
          submission.is_current_accepted
          or submission.submission_id in (select submission_id from raw.department_at_closing)
      )
),

sheet_head as (
    select
        submission_id,
        sheet,
        max(code) filter (where field = 'unit') as unit_code,
        max(coalesce(code, text)) filter (where field = 'department') as department,
        max(code) filter (where field = 'reference_month') as period_code,
        max(day) filter (where field = 'reference_month') as period_start_date
    from accepted_cell
    where section = 'head'
    group by submission_id, sheet
),

-- What is said once for the whole file (a unit on its first page) holds on sheets that do not say it themselves.
file_head as (
    select
        submission_id,
        case when min(unit_code) = max(unit_code) then max(unit_code) end as unit_code,
        case when min(department) = max(department) then max(department) end as department,
        case when min(period_code) = max(period_code) then max(period_code) end as period_code,
        case when min(period_code) = max(period_code) then max(period_start_date) end as period_start_date
    from sheet_head
    group by submission_id
),

-- A row may carry a period of its own; a day (DM-3) is more exact than a month, and goes before it.
row_period as (
    select
        submission_id,
        sheet,
        row_number,
        max(code) filter (where field in ('month', 'period', 'year')) as period_code,
        max(day) filter (where field in ('month', 'period', 'year')) as period_start_date,
        max(day) filter (where field = 'day') as row_date
    from accepted_cell
    where section = 'row'
    group by submission_id, sheet, row_number
),

dated as (
    select
        cell.submission_id,
        cell.sequence,
        cell.is_current_accepted,
        coalesce(sheet_head.department, file_head.department, cell.filed_by) as department,
        cell.form_code,
        cell.sheet,
        cell.row_number,
        cell.field,
        cell.number,
        cell.code,
        cell.day,
        cell.text,
        cell.state,
        coalesce(row_period.period_code, sheet_head.period_code, file_head.period_code) as period_code,
        case
            when row_period.period_code is not null then row_period.period_start_date
            when sheet_head.period_code is not null then sheet_head.period_start_date
            else file_head.period_start_date
        end as period_start_date,
        coalesce(sheet_head.unit_code, file_head.unit_code) as unit_code,
        unit.unit_multiplier,
        unit.currency_code,
        cell.submission_id || '/' || cell.sheet || '!' || cell.cell as line_id,
        cell.cell,
        row_period.row_date
    from accepted_cell as cell
    left join sheet_head on sheet_head.submission_id = cell.submission_id and sheet_head.sheet = cell.sheet
    left join file_head on file_head.submission_id = cell.submission_id
    left join row_period
        on row_period.submission_id = cell.submission_id
        and row_period.sheet = cell.sheet
        and row_period.row_number = cell.row_number
    left join reference.units as unit on unit.unit_code = coalesce(sheet_head.unit_code, file_head.unit_code)
    where cell.section = 'row'
),

-- A figure belongs to the last month of its period; a day to its own month.
placed as (
    select
        *,
        case
            when row_date is not null then cast(date_trunc('month', row_date) as date)
            when period_code like '%-M01-02' then cast(period_start_date + interval 1 month as date)
            when period_code like '____-Q_' then cast(period_start_date + interval 2 month as date)
            when period_code like '____-H_' then cast(period_start_date + interval 5 month as date)
            when length(period_code) = 4 then cast(period_start_date + interval 11 month as date)
            else period_start_date
        end as last_month_start_date
    from dated
)

select
    submission_id,
    sequence,
    department,
    form_code,
    sheet,
    row_number,
    field,
    number,
    code,
    day,
    text,
    state,
    period_code,
    period_start_date,
    unit_code,
    unit_multiplier,
    currency_code,
    line_id
from placed
left join raw.month_closing as governing
    on governing.month_start_date = (
        select min(closing.month_start_date)
        from raw.month_closing as closing
        where closing.month_start_date >= placed.last_month_start_date
    )
-- A closed month keeps what was in force at its closing, also where that was replaced since, and with it the time before
-- it that nobody closed, since growth and yearly figures of the month rest on that; all others go by today.
where case
    when governing.closed_sequence is not null
        then exists (
            select 1
            from raw.department_at_closing as kept
            where kept.month_start_date = governing.month_start_date
              and kept.submission_id = placed.submission_id
        )
    else placed.is_current_accepted
end
order by sequence, sheet, row_number, field, cell
