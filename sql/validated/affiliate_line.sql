-- table:  validated.affiliate_line
-- title:  审核通过的附属机构行 / Rows of FM-4 of accepted returns
-- grain:  one row per accepted current return and row of the form
-- reads:  raw.affiliate_line, validated.sheet_filing
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted; the figures are of sheet_period_code
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival
-- column: sheet_period_code | varchar | period of the figures
-- column: sheet_period_start_date | date | its first day
-- column: direction | varchar | outward or inward
-- column: affiliate_name | varchar | as typed
-- column: partner_code | varchar | economy of the affiliate (outward) or of the investor (inward)
-- column: industry_code | varchar | GB/T 4754-2017
-- column: holding_share_pct | decimal(30,10) | share held, per cent
-- column: sales_revenue | decimal(30,10) | sales of the year, declared unit
-- column: sales_revenue_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: services_revenue | decimal(30,10) | of which services, declared unit
-- column: services_revenue_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: employee_count | decimal(30,10) | persons
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/commercial_presence.md
select
    line.month_start_date,
    line.enterprise_code,
    filing.district_code,
    line.submission_id,
    filing.sequence,
    line.sheet_period_code,
    line.sheet_period_start_date,
    line.direction,
    line.affiliate_name,
    line.partner_code,
    line.industry_code,
    line.holding_share_pct,
    line.sales_revenue,
    line.sales_revenue_state,
    line.services_revenue,
    line.services_revenue_state,
    line.employee_count,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    line.line_id
from raw.affiliate_line as line
inner join validated.sheet_filing as filing
    on filing.submission_id = line.submission_id
    and filing.month_start_date = line.month_start_date
    and filing.sheet_period_code = line.sheet_period_code
    and filing.form_code = 'FM-4'
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.submission_id, line.sheet, line.row_number
