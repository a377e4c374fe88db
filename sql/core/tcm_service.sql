-- table:  core.tcm_service
-- title:  中医药服务贸易 / Trade in services of traditional Chinese medicine in a quarter (FM-7)
-- grain:  one row per accepted return and row of the form, whichever of several sheets of a quarter counts
-- reads:  validated.tcm_service_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: of the accepted sheets of one enterprise and quarter the latest counts
-- column: period_code | varchar | quarter of the figures, 2025-Q1
-- column: period_start_date | date | its first day
-- column: service_kind | varchar | medical, education, research, wellness, culture or other
-- column: visit_count | decimal(30,10) | visits of foreign patients
-- column: trainee_count | decimal(30,10) | foreign trainees
-- column: institution_count | decimal(30,10) | institutions abroad at the end of the quarter
-- column: revenue_usd | decimal(24,4) | revenue from services, US dollars at the mean of the quarter's three monthly rates; empty if one of them is missing
-- column: revenue_cny | decimal(24,4) | the same in yuan
-- column: revenue_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: remote_revenue_usd | decimal(24,4) | of which delivered remotely, US dollars
-- column: remote_revenue_cny | decimal(24,4) | the same in yuan
-- column: remote_revenue_state | varchar | as revenue_state
-- column: line_id | varchar | where the figure stands: submission/sheet!cell of the revenue
-- method: docs/methods/tcm_services.md
with month_rate as (
    select
        case
            when month(month_start_date) <= 3 then make_date(year(month_start_date), 1, 1)
            when month(month_start_date) <= 6 then make_date(year(month_start_date), 4, 1)
            when month(month_start_date) <= 9 then make_date(year(month_start_date), 7, 1)
            else make_date(year(month_start_date), 10, 1)
        end as period_start_date,
        currency_code,
        cny_per_unit,
        usd_per_unit
    from core.exchange_rate
),

rate as (
    select
        period_start_date,
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 3 as decimal(18, 8)) as cny_per_unit,
        cast(cast(sum(usd_per_unit) as double) / 3 as decimal(18, 16)) as usd_per_unit
    from month_rate
    group by period_start_date, currency_code
    having count(*) = 3
),

line as (
    select
        *,
        cast(revenue * unit_multiplier as decimal(24, 4)) as revenue_declared,
        cast(remote_revenue * unit_multiplier as decimal(24, 4)) as remote_declared
    from validated.tcm_service_line
    where month_start_date = $month_start_date
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.sequence,
    line.sheet_period_code as period_code,
    line.sheet_period_start_date as period_start_date,
    line.service_kind,
    line.visit_count,
    line.trainee_count,
    line.institution_count,
    case when line.currency_code = 'USD' then line.revenue_declared else cast(line.revenue_declared * rate.usd_per_unit as decimal(24, 4)) end as revenue_usd,
    case when line.currency_code = 'CNY' then line.revenue_declared else cast(line.revenue_declared * rate.cny_per_unit as decimal(24, 4)) end as revenue_cny,
    line.revenue_state,
    case when line.currency_code = 'USD' then line.remote_declared else cast(line.remote_declared * rate.usd_per_unit as decimal(24, 4)) end as remote_revenue_usd,
    case when line.currency_code = 'CNY' then line.remote_declared else cast(line.remote_declared * rate.cny_per_unit as decimal(24, 4)) end as remote_revenue_cny,
    line.remote_revenue_state,
    line.line_id
from line
left join rate on rate.period_start_date = line.sheet_period_start_date and rate.currency_code = line.currency_code
order by line.enterprise_code, line.sheet_period_start_date, line.line_id
