-- table:  checks.enterprise_profile
-- title:  企业基本情况的事实 / Facts about form FM-1
-- grain:  one row per current return with FM-1
-- reads:  raw.submission, raw.enterprise, raw.enterprise_profile, raw.return_cell, raw.service_trade_total, core.exchange_rate, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-1
-- column: sheet | varchar | sheet as named in the file
-- column: organisation_cell | varchar | cell of the organisation code
-- column: industry_cell | varchar | cell of the industry code
-- column: district_cell | varchar | cell of the district
-- column: employee_cell | varchar | cell of the employees
-- column: revenue_cell | varchar | cell of last year's revenue
-- column: business_key | varchar | enterprise
-- column: subject_zh | varchar | 基本情况
-- column: subject_en | varchar | registration
-- column: organisation_code | varchar | as typed
-- column: expected_organisation_code | varchar | characters 9 to 17 of the credit code
-- column: is_organisation_code_right | boolean | they are the same, hyphens and blanks apart; empty where either is not given in full
-- column: industry_code | varchar | of the form
-- column: register_industry_code | varchar | of the register in the month
-- column: is_industry_as_registered | boolean | the two have the same division (two digits); empty where either is missing
-- column: district_code | varchar | of the form
-- column: register_district_code | varchar | of the register in the month
-- column: is_district_as_registered | boolean | they are the same; empty where either is missing
-- column: employee_count | double | persons
-- column: is_employee_count_whole | boolean | a whole number that is not negative
-- column: previous_employee_count | double | of the latest accepted form of the twelve months before
-- column: previous_period_text | varchar | month of that return
-- column: employee_ratio | double | now over then; empty where either is not above zero
-- column: larger_employee_count | double | the larger of the two
-- column: revenue | double | revenue of last year, declared unit
-- column: revenue_in_currency_units | double | its size, currency units
-- column: revenue_per_employee_cny | double | yuan a person, at the rate of the month; empty without persons or rate
-- column: exports_last_year_10k | double | exports since January in the accepted return of December last year, in ten thousand of the currency of the revenue
-- column: revenue_10k | double | revenue in ten thousand currency units
-- column: exports_over_revenue | double | exports of last year over revenue of last year; empty without that return or a rate
-- method: docs/rules.md
with profile as (
    select p.*
    from raw.enterprise_profile as p
    inner join raw.submission as s on s.submission_id = p.submission_id
    where s.kind = 'return'
      and s.is_current
      and p.month_start_date = $month_start_date
),
place as (
    select
        c.submission_id,
        min(c.cell) filter (where c.field = 'organisation_code') as organisation_cell,
        min(c.cell) filter (where c.field = 'industry_code') as industry_cell,
        min(c.cell) filter (where c.field = 'district_code') as district_cell,
        min(c.cell) filter (where c.field = 'employee_count') as employee_cell
    from raw.return_cell as c
    inner join profile as p on p.submission_id = c.submission_id
    where c.month_start_date = $month_start_date
      and c.form_code = 'FM-1'
    group by c.submission_id
),
register as (
    select
        enterprise_code,
        max(industry_code) as industry_code,
        max(district_code) as district_code
    from raw.enterprise
    where (from_month_start_date is null or from_month_start_date <= $month_start_date)
      and (to_month_start_date is null or to_month_start_date >= $month_start_date)
    group by enterprise_code
),
earlier as (
    select
        p.enterprise_code,
        p.month_start_date,
        p.employee_count,
        row_number() over (partition by p.enterprise_code order by p.month_start_date desc, p.submission_id) as place
    from raw.enterprise_profile as p
    inner join raw.submission as s on s.submission_id = p.submission_id
    where s.is_current_accepted
      and p.employee_count is not null
      and p.month_start_date < $month_start_date
      and p.month_start_date >= $month_start_date - interval 12 month
),
rate as (
    select month_start_date, currency_code, cny_per_unit, usd_per_unit
    from core.exchange_rate
),
-- The printed totals of December say a whole year's exports; revenue on the form is of the same year.
december as (
    select
        t.enterprise_code,
        t.month_start_date,
        max(t.submission_id) as submission_id,
        sum(t.amount) as exports_ytd,
        count(*) as total_count
    from raw.service_trade_total as t
    inner join raw.submission as s on s.submission_id = t.submission_id
    where s.is_current_accepted
      and t.month_start_date = make_date(year($month_start_date) - 1, 12, 1)
      and t.month_start_date >= $month_start_date - interval 12 month
      and t.flow = 'export'
      and t.measure = 'ytd'
    group by t.enterprise_code, t.month_start_date
),
december_unit as (
    select
        c.submission_id,
        max(u.unit_multiplier) as unit_multiplier,
        max(u.currency_code) as currency_code
    from raw.return_cell as c
    inner join december as d on d.submission_id = c.submission_id
    inner join reference.units as u on u.unit_code = c.code
    where c.month_start_date = make_date(year($month_start_date) - 1, 12, 1)
      and c.form_code = 'FM-2'
      and c.section = 'head'
      and c.field = 'unit'
    group by c.submission_id
    having count(distinct c.code) = 1
),
exports as (
    select
        d.enterprise_code,
        cast(d.exports_ytd as double) * cast(u.unit_multiplier as double) * cast(r.cny_per_unit as double) as exports_cny
    from december as d
    inner join december_unit as u on u.submission_id = d.submission_id
    inner join (
        select currency_code, month_start_date, cny_per_unit
        from rate
        union
        select 'CNY' as currency_code, make_date(year($month_start_date) - 1, 12, 1) as month_start_date, cast(1 as decimal(18, 8)) as cny_per_unit
    ) as r
        on r.currency_code = u.currency_code
        and r.month_start_date = d.month_start_date
    where d.total_count = 1
)
select
    p.month_start_date,
    p.submission_id,
    'FM-1' as form_code,
    p.sheet,
    c.organisation_cell,
    c.industry_cell,
    c.district_cell,
    c.employee_cell,
    p.revenue_cell,
    p.enterprise_code as business_key,
    '基本情况' as subject_zh,
    'registration' as subject_en,
    p.organisation_code,
    substr(p.enterprise_code, 9, 9) as expected_organisation_code,
    case
        when length(p.enterprise_code) = 18 and length(trim(p.organisation_code)) > 0
            then upper(replace(replace(replace(p.organisation_code, '-', ''), '－', ''), ' ', '')) = substr(p.enterprise_code, 9, 9)
    end as is_organisation_code_right,
    p.industry_code,
    g.industry_code as register_industry_code,
    case
        when length(p.industry_code) >= 2 and length(g.industry_code) >= 2
            then case when substr(p.industry_code, 1, 1) between 'A' and 'T' then substr(p.industry_code, 2, 2) else substr(p.industry_code, 1, 2) end
                = case when substr(g.industry_code, 1, 1) between 'A' and 'T' then substr(g.industry_code, 2, 2) else substr(g.industry_code, 1, 2) end
    end as is_industry_as_registered,
    p.district_code,
    g.district_code as register_district_code,
    case when p.district_code <> '' and g.district_code <> '' then p.district_code = g.district_code end as is_district_as_registered,
    cast(p.employee_count as double) as employee_count,
    p.employee_count = floor(p.employee_count) and p.employee_count >= 0 as is_employee_count_whole,
    cast(e.employee_count as double) as previous_employee_count,
    substr(cast(e.month_start_date as varchar), 1, 7) as previous_period_text,
    case when p.employee_count > 0 and e.employee_count > 0 then cast(p.employee_count as double) / cast(e.employee_count as double) end as employee_ratio,
    cast(greatest(p.employee_count, e.employee_count) as double) as larger_employee_count,
    cast(p.revenue as double) as revenue,
    cast(abs(p.revenue) as double) * cast(p.unit_multiplier as double) as revenue_in_currency_units,
    case
        when p.employee_count > 0
            then cast(p.revenue as double) * cast(p.unit_multiplier as double)
                * case when p.currency_code = 'CNY' then 1 else cast(r.cny_per_unit as double) end
                / cast(p.employee_count as double)
    end as revenue_per_employee_cny,
    x.exports_cny / case when p.currency_code = 'CNY' then 1 else cast(r.cny_per_unit as double) end / 10000 as exports_last_year_10k,
    cast(p.revenue as double) * cast(p.unit_multiplier as double) / 10000 as revenue_10k,
    case
        when p.revenue > 0
            then x.exports_cny
                / (cast(p.revenue as double) * cast(p.unit_multiplier as double)
                    * case when p.currency_code = 'CNY' then 1 else cast(r.cny_per_unit as double) end)
    end as exports_over_revenue
from profile as p
left join place as c on c.submission_id = p.submission_id
left join register as g on g.enterprise_code = p.enterprise_code
left join earlier as e on e.enterprise_code = p.enterprise_code and e.place = 1
left join rate as r on r.currency_code = p.currency_code and r.month_start_date = p.month_start_date
left join exports as x on x.enterprise_code = p.enterprise_code
order by p.submission_id
