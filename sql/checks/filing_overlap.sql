-- table:  checks.filing_overlap
-- title:  有效报表的报告期不重叠 / Returns in force do not share a month
-- grain:  one row per return in force
-- reads:  validated.filing
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: submission_id | varchar | the file it came from
-- column: overlapping_return_count | bigint | other returns in force of the enterprise, counted in this month or earlier, whose period shares a month with this one
-- method: docs/rules.md
select
    f.month_start_date,
    f.enterprise_code,
    f.submission_id,
    count(o.submission_id) as overlapping_return_count
from validated.filing as f
left join validated.filing as o
    on o.enterprise_code = f.enterprise_code
    and o.submission_id <> f.submission_id
    and o.period_start_date <= f.month_start_date
    and o.month_start_date >= f.period_start_date
    and o.month_start_date <= f.month_start_date
where f.month_start_date = $month_start_date
group by f.month_start_date, f.enterprise_code, f.submission_id
order by f.enterprise_code, f.submission_id
