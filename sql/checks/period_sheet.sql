-- table:  checks.period_sheet
-- title:  非月报表的报告期 / The period of each sheet of a form that is not monthly (FM-4, FM-5, FM-7, FM-8)
-- grain:  one row per current return and sheet of such a form
-- reads:  raw.submission, raw.return_cell
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | form
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the period
-- column: business_key | varchar | enterprise/form/period
-- column: subject_zh | varchar | empty: the place says enough
-- column: subject_en | varchar | empty
-- column: period_text | varchar | as typed on this sheet; the month of the return where nothing is
-- column: return_month_text | varchar | month in which the return is counted, 2026-03
-- column: own_period_text | varchar | year, half-year or quarter of the figures: 2025, 2025-H1, 2025-Q1
-- column: latest_period_text | varchar | the latest such period that is over when the month ends
-- column: is_period_over | boolean | own_period_text is over by then
-- column: is_period_latest | boolean | it is the latest; empty where it is not over
-- column: accepted_month_text | varchar | month of another accepted return of the last twelve months that has rows of this form for the same period, 2026-03; empty if none has
-- column: is_period_free | boolean | none has, or this return is marked as a revision, or has no row of the form
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code,
        month_start_date,
        period_start_date,
        is_revision
    from raw.submission
    where kind = 'return'
      and is_current
      and month_start_date = $month_start_date
),
own_period as (
    select
        f.submission_id,
        f.enterprise_code,
        f.is_revision,
        f.period_start_date as return_start_date,
        c.form_code,
        c.sheet,
        c.cell,
        c.text,
        c.code as period_code,
        c.day as period_start_date,
        case when c.code like '%-H%' then 6 when c.code like '%-Q%' then 3 else 12 end as month_count
    from raw.return_cell as c
    inner join filed as f on f.submission_id = c.submission_id
    where c.month_start_date = $month_start_date
      and c.section = 'head'
      and c.field = 'sheet_period'
      and c.code is not null
),
-- Where the latest period of each length begins that is over when the month ends.
latest as (
    select
        12 as month_count,
        make_date(case when month($month_start_date) = 12 then year($month_start_date) else year($month_start_date) - 1 end, 1, 1)
            as period_start_date
    union all
    select
        6,
        case
            when month($month_start_date) = 12 then make_date(year($month_start_date), 7, 1)
            when month($month_start_date) >= 6 then make_date(year($month_start_date), 1, 1)
            else make_date(year($month_start_date) - 1, 7, 1)
        end
    union all
    select
        3,
        case
            when month($month_start_date) = 12 then make_date(year($month_start_date), 10, 1)
            when month($month_start_date) >= 9 then make_date(year($month_start_date), 7, 1)
            when month($month_start_date) >= 6 then make_date(year($month_start_date), 4, 1)
            when month($month_start_date) >= 3 then make_date(year($month_start_date), 1, 1)
            else make_date(year($month_start_date) - 1, 10, 1)
        end
),
sheet_with_rows as (
    select distinct
        submission_id,
        sheet
    from raw.return_cell
    where section = 'row'
      and month_start_date <= $month_start_date
      and month_start_date >= $month_start_date - interval 12 month
      and form_code in (select form_code from own_period)
),
-- The same form for the same period in another return in force. An earlier version of this same return is replaced
-- by it, which is H7c's to ask about.
accepted as (
    select
        o.submission_id,
        o.form_code,
        o.period_code,
        max(s.month_start_date) as month_start_date
    from own_period as o
    inner join raw.submission as s on s.enterprise_code = o.enterprise_code
    inner join raw.return_cell as c
        on c.submission_id = s.submission_id
        and c.form_code = o.form_code
        and c.code = o.period_code
    inner join sheet_with_rows as r on r.submission_id = c.submission_id and r.sheet = c.sheet
    inner join sheet_with_rows as own on own.submission_id = o.submission_id and own.sheet = o.sheet
    where s.is_current_accepted
      and s.submission_id <> o.submission_id
      and s.month_start_date <= $month_start_date
      and s.month_start_date >= $month_start_date - interval 12 month
      and (s.month_start_date <> $month_start_date or s.period_start_date <> o.return_start_date)
      and c.section = 'head'
      and c.field = 'sheet_period'
    group by o.submission_id, o.form_code, o.period_code
)
select
    cast($month_start_date as date) as month_start_date,
    o.submission_id,
    o.form_code,
    o.sheet,
    o.cell,
    o.enterprise_code || '/' || o.form_code || '/' || o.period_code as business_key,
    cast(null as varchar) as subject_zh,
    cast(null as varchar) as subject_en,
    coalesce(nullif(o.text, ''), substr(cast($month_start_date as varchar), 1, 7)) as period_text,
    substr(cast($month_start_date as varchar), 1, 7) as return_month_text,
    o.period_code as own_period_text,
    cast(year(l.period_start_date) as varchar) || case
        when o.month_count = 12 then ''
        when o.month_count = 6 then case when month(l.period_start_date) = 1 then '-H1' else '-H2' end
        else case month(l.period_start_date) when 1 then '-Q1' when 4 then '-Q2' when 7 then '-Q3' else '-Q4' end
    end as latest_period_text,
    o.period_start_date <= l.period_start_date as is_period_over,
    case when o.period_start_date <= l.period_start_date then o.period_start_date = l.period_start_date end as is_period_latest,
    substr(cast(a.month_start_date as varchar), 1, 7) as accepted_month_text,
    a.submission_id is null or coalesce(o.is_revision, false) as is_period_free
from own_period as o
inner join latest as l on l.month_count = o.month_count
left join accepted as a
    on a.submission_id = o.submission_id and a.form_code = o.form_code and a.period_code = o.period_code
order by o.submission_id, o.form_code, o.sheet
