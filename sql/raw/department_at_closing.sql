-- table:  raw.department_at_closing
-- title:  结账时有效的部门表 / Departmental tables that were in force when a month was closed
-- grain:  one row per closed or published month and departmental file in force at its closing
-- column: month_start_date | date | first day of the closed month
-- column: submission_id | varchar | the file, whatever replaced it or was decided about it since
create table if not exists raw.department_at_closing (
    month_start_date date,
    submission_id varchar
)
