-- table:  checks.return_sheet
-- title:  各表报告期 / The period on each sheet of a return
-- grain:  one row per current return and sheet with a period in its head
-- reads:  raw.submission, raw.return_cell
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | form
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the period
-- column: business_key | varchar | enterprise
-- column: subject_zh | varchar | empty: the place says enough
-- column: subject_en | varchar | empty
-- column: period_text | varchar | as typed on this sheet
-- column: return_period_text | varchar | period under which the return is filed, 2026-03
-- column: is_period_of_return | boolean | the sheet has the period of the return; empty when it has none that can be read
-- method: docs/rules.md
select
    s.month_start_date,
    s.submission_id,
    c.form_code,
    c.sheet,
    c.cell,
    s.enterprise_code as business_key,
    cast(null as varchar) as subject_zh,
    cast(null as varchar) as subject_en,
    c.text as period_text,
    substr(cast(s.month_start_date as varchar), 1, 7) as return_period_text,
    c.day = s.period_start_date as is_period_of_return
from raw.return_cell as c
inner join raw.submission as s on s.submission_id = c.submission_id
where s.kind = 'return'
  and s.is_current
  and s.month_start_date = $month_start_date
  and c.month_start_date = $month_start_date
  and c.section = 'head'
  and c.field = 'reference_month'
order by s.submission_id, c.form_code, c.sheet, c.cell
