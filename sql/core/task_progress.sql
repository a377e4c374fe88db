-- table:  core.task_progress
-- title:  重点任务进展 / Progress of the forty tasks (DM-5)
-- grain:  one row per task and day of report
-- reads:  validated.department_cell
-- column: task_no | integer | number in the annex of the 2016 plan
-- column: reported_date | date | day of the report
-- column: task_status | varchar | not_started (未启动), in_progress (推进中) or done (已完成)
-- column: progress_pct | decimal(9,6) | per cent
-- column: evidence | varchar | as filed
-- column: department | varchar | department that filed it
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/department_tables.md
with table_row as (
    select
        sequence,
        submission_id,
        sheet,
        row_number,
        max(department) as department,
        max(coalesce(cast(number as integer), try_cast(code as integer))) filter (where field = 'task_no') as task_no,
        max(coalesce(code, text)) filter (where field = 'task_status') as task_status,
        max(number) filter (where field = 'progress_pct') as progress_pct,
        max(text) filter (where field = 'evidence') as evidence,
        max(day) filter (where field = 'day') as day,
        max(period_start_date) as period_start_date,
        min(line_id) as line_id
    from validated.department_cell
    where form_code = 'DM-5'
    group by sequence, submission_id, sheet, row_number
),

latest as (
    select
        *,
        coalesce(day, period_start_date) as reported_date,
        row_number() over (
            partition by task_no, coalesce(day, period_start_date)
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from table_row
    where task_no is not null
)

select
    task_no,
    reported_date,
    task_status,
    cast(progress_pct as decimal(9, 6)) as progress_pct,
    evidence,
    department,
    line_id
from latest
where recency = 1
order by task_no, reported_date
