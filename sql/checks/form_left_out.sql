-- table:  checks.form_left_out
-- title:  更正与它替换的报表各表对照 / Forms of the return in force, and whether the correction that replaces it holds them
-- grain:  one row per current return marked 更正 that replaces an accepted one, and form (with the period of its sheets) that this one has rows of
-- reads:  raw.submission, raw.return_cell
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the correction
-- column: form_code | varchar | form on which the filing type of the correction stands
-- column: sheet | varchar | sheet of that
-- column: cell | varchar | cell of the filing type; of the period where there is none
-- column: business_key | varchar | enterprise/month/form, and /period for a form that has its own
-- column: subject_zh | varchar | empty: the place says enough
-- column: subject_en | varchar | empty
-- column: accepted_form | varchar | form of the return in force: FM-3
-- column: accepted_sheet | varchar | its sheet there, as named in that file
-- column: accepted_period_text | varchar | period of its figures: 2026-03; 2025, 2025-H1, 2025-Q1 for a form that has its own
-- column: accepted_row_count | bigint | its rows there; the registration (FM-1) is one
-- column: lost_row_count | bigint | those rows where the correction has no row of the form and period, else 0; of monthly forms 0 under a zero return, which says so itself
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code,
        period_kind,
        month_start_date,
        is_zero_return,
        supersedes_submission_id
    from raw.submission
    where kind = 'return'
      and is_current
      and is_revision
      and supersedes_submission_id is not null
      and month_start_date = $month_start_date
),
cell as (
    select
        submission_id,
        form_code,
        sheet,
        section,
        row_number,
        cell,
        field,
        code
    from raw.return_cell
    where month_start_date = $month_start_date
      and submission_id in (
          select submission_id
          from filed
          union all
          select supersedes_submission_id
          from filed
      )
),
sheet_period as (
    select
        submission_id,
        form_code,
        sheet,
        max(code) as period_code
    from cell
    where section = 'head'
      and field = 'sheet_period'
    group by submission_id, form_code, sheet
),
held as (
    select
        c.submission_id,
        c.form_code,
        coalesce(p.period_code, '') as period_code,
        min(c.sheet) as sheet,
        case when c.form_code = 'FM-1' then 1 else count(distinct c.sheet || '/' || cast(c.row_number as varchar)) end as row_count
    from cell as c
    left join sheet_period as p
        on p.submission_id = c.submission_id and p.form_code = c.form_code and p.sheet = c.sheet
    where c.section = 'row'
    group by c.submission_id, c.form_code, coalesce(p.period_code, '')
),
-- 零报 says of the whole month that there was no business; not where a technology contract stands beside the tick.
nothing_to_report as (
    select f.submission_id
    from filed as f
    where f.is_zero_return
      and not exists (
          select 1
          from held as h
          where h.submission_id = f.submission_id
            and h.period_code = ''
            and h.form_code <> 'FM-1'
      )
),
mark as (
    select
        submission_id,
        form_code,
        sheet,
        cell,
        row_number() over (
            partition by submission_id order by case when field = 'is_revision' then 0 else 1 end, form_code, sheet, cell
        ) as position
    from cell
    where section = 'head'
      and (field = 'reference_month' or (field = 'is_revision' and code = 'true'))
)
select
    cast($month_start_date as date) as month_start_date,
    f.submission_id,
    m.form_code,
    m.sheet,
    m.cell,
    f.enterprise_code || '/' || substr(cast(f.month_start_date as varchar), 1, 7) || '/' || a.form_code
        || case when a.period_code = '' then '' else '/' || a.period_code end as business_key,
    cast(null as varchar) as subject_zh,
    cast(null as varchar) as subject_en,
    a.form_code as accepted_form,
    a.sheet as accepted_sheet,
    case
        when a.period_code <> '' then a.period_code
        when f.period_kind = 'months_1_2' then cast(year(f.month_start_date) as varchar) || '-M01-02'
        else substr(cast(f.month_start_date as varchar), 1, 7)
    end as accepted_period_text,
    cast(a.row_count as bigint) as accepted_row_count,
    cast(
        case
            when own.submission_id is not null then 0
            when z.submission_id is not null and a.period_code = '' then 0
            else a.row_count
        end as bigint
    ) as lost_row_count
from filed as f
inner join held as a on a.submission_id = f.supersedes_submission_id
left join held as own
    on own.submission_id = f.submission_id and own.form_code = a.form_code and own.period_code = a.period_code
left join nothing_to_report as z on z.submission_id = f.submission_id
left join mark as m on m.submission_id = f.submission_id and m.position = 1
order by f.submission_id, a.form_code, a.period_code
