-- table:  checks.affiliate
-- title:  附属机构各行的事实 / Facts about each affiliate of FM-4
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.affiliate_line, core.exchange_rate, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-4
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the sales of services, else of the sales
-- column: direction_cell | varchar | cell of the direction
-- column: name_cell | varchar | cell of the affiliate's name
-- column: partner_cell | varchar | cell of the partner
-- column: industry_cell | varchar | cell of the industry
-- column: holding_share_cell | varchar | cell of the share held
-- column: services_cell | varchar | cell of the sales of services
-- column: employee_cell | varchar | cell of the employees
-- column: lowest_cell | varchar | cell of the lowest figure
-- column: largest_cell | varchar | cell of the larger amount
-- column: business_key | varchar | enterprise/direction/affiliate
-- column: subject_zh | varchar | direction × affiliate × partner
-- column: subject_en | varchar | the same
-- column: remark | varchar | 说明
-- column: period_text | varchar | year of the figures
-- column: direction_zh | varchar | 外向 or 内向
-- column: direction_en | varchar | outward or inward
-- column: partner_zh | varchar | name of the partner
-- column: partner_en | varchar | the same
-- column: industry_code | varchar | GB/T 4754-2017
-- column: holding_share_pct | double | share held, per cent
-- column: sales_revenue | double | sales, declared unit
-- column: services_revenue | double | of which services, declared unit
-- column: services_above_sales | double | services less sales, exact in decimals before it is a double; positive is too much
-- column: employee_count | double | persons
-- column: lowest_figure | double | lowest of sales, services and employees, declared unit
-- column: largest_amount | double | larger of sales and services, declared unit
-- column: largest_in_currency_units | double | the same, currency units
-- column: is_partner_china | boolean | the partner is the Chinese mainland, which is neither abroad nor an investor from abroad
-- column: is_direction_of_sheet | boolean | the sheet's name says 外向 or 内向 and the row agrees; empty where the name says neither
-- column: sheet_direction_zh | varchar | what the name says
-- column: sheet_direction_en | varchar | the same
-- column: is_services_industry | boolean | the industry is construction or a service (三次产业划分规定 2018); empty without a code
-- column: same_row_count | bigint | rows of the return with this direction, name and partner, for the row that repeats an earlier one; else 1
-- column: previous_services | double | sales of services of the year before, from an accepted return of the last twelve months in the same currency, in the declared unit of this return
-- column: services_ratio_to_last_year | double | services over previous_services; empty where that is not above zero
-- column: larger_services_usd | double | the larger of both in US dollars at this month's rate, to leave small ones alone; empty without a rate
-- column: sales_per_employee_usd | double | US dollars at this month's rate; empty without sales and employees above zero or a rate
-- column: is_sold_without_employees | boolean | sales above zero with 0 employees entered; empty where employees are not entered
-- method: docs/rules.md
with line as (
    select l.*
    from raw.affiliate_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
placed as (
    select
        *,
        count(*) over (partition by submission_id, direction, affiliate_name, partner_code, sheet_period_code) as row_count,
        row_number() over (
            partition by submission_id, direction, affiliate_name, partner_code, sheet_period_code order by sheet, row_number
        ) as place
    from line
),
earlier as (
    select
        l.enterprise_code,
        l.direction,
        l.affiliate_name,
        l.partner_code,
        l.sheet_period_start_date,
        l.currency_code,
        cast(l.services_revenue as double) * cast(l.unit_multiplier as double) as services_in_currency_units,
        row_number() over (
            partition by l.enterprise_code, l.direction, l.affiliate_name, l.partner_code, l.sheet_period_start_date
            order by s.sequence desc, l.sheet, l.row_number
        ) as recency
    from raw.affiliate_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.month_start_date <= $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
      and l.services_revenue is not null
),
rate as (
    select currency_code, cast(usd_per_unit as double) as usd_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
),
fact as (
    select
        l.*,
        p.name_zh as partner_zh,
        p.name_en as partner_en,
        case when strpos(l.sheet, '外向') > 0 and strpos(l.sheet, '内向') = 0 then 'outward'
            when strpos(l.sheet, '内向') > 0 and strpos(l.sheet, '外向') = 0 then 'inward' end as sheet_direction,
        cast(substr(l.industry_code, 1, 2) as integer) as division,
        e.services_in_currency_units / cast(nullif(l.unit_multiplier, 0) as double) as previous_services,
        cast(l.unit_multiplier as double) * case when l.currency_code = 'USD' then 1 else r.usd_per_unit end as usd_per_declared
    from placed as l
    left join earlier as e
        on e.enterprise_code = l.enterprise_code
        and e.direction = l.direction
        and e.affiliate_name = l.affiliate_name
        and e.partner_code = l.partner_code
        and e.currency_code = l.currency_code
        and e.sheet_period_start_date = l.sheet_period_start_date - interval 1 year
        and e.recency = 1
    left join rate as r on r.currency_code = l.currency_code
    left join reference.partners as p on p.partner_code = l.partner_code
)
select
    month_start_date,
    submission_id,
    'FM-4' as form_code,
    sheet,
    coalesce(services_revenue_cell, sales_revenue_cell) as cell,
    direction_cell,
    affiliate_name_cell as name_cell,
    partner_cell,
    industry_cell,
    holding_share_cell,
    services_revenue_cell as services_cell,
    employee_count_cell as employee_cell,
    case
        when employee_count < 0 and employee_count <= least(coalesce(sales_revenue, employee_count), coalesce(services_revenue, employee_count))
            then employee_count_cell
        when services_revenue < 0 and services_revenue <= coalesce(sales_revenue, services_revenue) then services_revenue_cell
        else coalesce(sales_revenue_cell, services_revenue_cell)
    end as lowest_cell,
    case
        when services_revenue is not null and (sales_revenue is null or abs(services_revenue) > abs(sales_revenue)) then services_revenue_cell
        else sales_revenue_cell
    end as largest_cell,
    enterprise_code || '/' || coalesce(direction, '') || '/' || coalesce(affiliate_name, '') as business_key,
    case direction when 'outward' then '外向 × ' when 'inward' then '内向 × ' else '' end
        || coalesce(affiliate_name, '名称未填') || coalesce(' × ' || partner_zh, '') as subject_zh,
    coalesce(direction || ' × ', '') || coalesce(affiliate_name, 'without name') || coalesce(' × ' || partner_en, '') as subject_en,
    remark,
    sheet_period_code as period_text,
    case direction when 'outward' then '外向' when 'inward' then '内向' end as direction_zh,
    direction as direction_en,
    partner_zh,
    partner_en,
    industry_code,
    cast(holding_share_pct as double) as holding_share_pct,
    cast(sales_revenue as double) as sales_revenue,
    cast(services_revenue as double) as services_revenue,
    cast(services_revenue - sales_revenue as double) as services_above_sales,
    cast(employee_count as double) as employee_count,
    cast(least(sales_revenue, services_revenue, employee_count) as double) as lowest_figure,
    cast(greatest(abs(sales_revenue), abs(services_revenue)) as double) as largest_amount,
    cast(greatest(abs(sales_revenue), abs(services_revenue)) as double) * cast(unit_multiplier as double) as largest_in_currency_units,
    partner_code = 'CHN' as is_partner_china,
    direction = sheet_direction as is_direction_of_sheet,
    case sheet_direction when 'outward' then '外向' when 'inward' then '内向' end as sheet_direction_zh,
    sheet_direction as sheet_direction_en,
    -- 47-50 construction; services: 51 and above without 44-46, and the auxiliary activities 05, 11 and repair 43
    division >= 47 or division in (5, 11, 43) as is_services_industry,
    case when place > 1 then row_count else 1 end as same_row_count,
    previous_services,
    case
        when previous_services > 0 then cast(services_revenue as double) / nullif(previous_services, 0)
    end as services_ratio_to_last_year,
    greatest(cast(services_revenue as double), previous_services) * usd_per_declared as larger_services_usd,
    case
        when employee_count > 0 and sales_revenue > 0 then cast(sales_revenue as double) * usd_per_declared / nullif(cast(employee_count as double), 0)
    end as sales_per_employee_usd,
    case when employee_count is not null and sales_revenue is not null then employee_count = 0 and sales_revenue > 0 end
        as is_sold_without_employees
from fact
order by submission_id, sheet, row_number
