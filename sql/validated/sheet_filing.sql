-- table:  validated.sheet_filing
-- title:  审核通过的非月报表 / Accepted sheets of forms that have a period of their own (FM-4, FM-5, FM-7, FM-8)
-- grain:  one row per accepted current return, form and period of its sheets
-- reads:  raw.submission, raw.return_cell, raw.enterprise, validated.filing
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted: that of the workbook; where the file holds no monthly form the one being collected when it came
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: of two sheets of one form and period the later one counts
-- column: form_code | varchar | FM-4, FM-5 ...
-- column: sheet_period_code | varchar | 2025, 2025-H1, 2025-Q1
-- column: sheet_period_start_date | date | its first day
-- method: docs/methods/filing.md
with filed as (
    select
        submission_id,
        enterprise_code,
        district_code
    from validated.filing
    where month_start_date = $month_start_date
    union all
    -- A file without a monthly form is the return of no month; its sheets count all the same.
    select
        submission.submission_id,
        submission.enterprise_code,
        district.district_code
    from raw.submission as submission
    left join (
        select
            enterprise_code,
            max(district_code) as district_code
        from raw.enterprise
        where (from_month_start_date is null or from_month_start_date <= $month_start_date)
          and (to_month_start_date is null or to_month_start_date >= $month_start_date)
        group by enterprise_code
    ) as district on district.enterprise_code = submission.enterprise_code
    where submission.kind = 'return'
      and submission.is_current_accepted
      and submission.period_kind in ('quarter', 'half_year', 'year')
      and submission.month_start_date = $month_start_date
)

select
    cell.month_start_date,
    filed.enterprise_code,
    filed.district_code,
    filed.submission_id,
    submission.sequence,
    cell.form_code,
    cell.code as sheet_period_code,
    min(cell.day) as sheet_period_start_date
from raw.return_cell as cell
inner join filed on filed.submission_id = cell.submission_id
inner join raw.submission as submission on submission.submission_id = cell.submission_id
where cell.month_start_date = $month_start_date
  and cell.section = 'head'
  and cell.field = 'sheet_period'
  and cell.code is not null
group by
    cell.month_start_date,
    filed.enterprise_code,
    filed.district_code,
    filed.submission_id,
    submission.sequence,
    cell.form_code,
    cell.code
order by filed.enterprise_code, cell.form_code, cell.code, submission.sequence
