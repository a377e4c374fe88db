-- table:  raw.affiliate_line
-- title:  附属机构填报行（各版本） / Rows of form FM-4, every version as filed
-- grain:  one row per submission, sheet and sheet row
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted; the figures are of sheet_period_code
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: sheet_period_code | varchar | period of the figures: 2025, 2025-H1; empty if it could not be read
-- column: sheet_period_start_date | date | its first day
-- column: direction | varchar | outward or inward
-- column: direction_cell | varchar | cell address
-- column: affiliate_name | varchar | as typed
-- column: affiliate_name_cell | varchar | cell address
-- column: partner_code | varchar | economy of the affiliate (outward) or of the investor (inward)
-- column: partner_cell | varchar | cell address
-- column: industry_code | varchar | GB/T 4754-2017, four digits
-- column: industry_cell | varchar | cell address
-- column: holding_share_pct | decimal(30,10) | share held, per cent
-- column: holding_share_state | varchar | as in raw.service_trade_line
-- column: holding_share_cell | varchar | cell address
-- column: sales_revenue | decimal(30,10) | sales of the year, declared unit
-- column: sales_revenue_text | varchar | as typed
-- column: sales_revenue_state | varchar | as in raw.service_trade_line
-- column: sales_revenue_cell | varchar | cell address
-- column: services_revenue | decimal(30,10) | of which services, declared unit
-- column: services_revenue_text | varchar | as typed
-- column: services_revenue_state | varchar | as in raw.service_trade_line
-- column: services_revenue_cell | varchar | cell address
-- column: employee_count | decimal(30,10) | persons at the end of the year
-- column: employee_count_text | varchar | as typed
-- column: employee_count_state | varchar | as in raw.service_trade_line
-- column: employee_count_cell | varchar | cell address
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the sales of services; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-4'
),

sheet_head as (
    select
        submission_id,
        sheet,
        max(code) filter (where field = 'unit') as unit_code,
        max(code) filter (where field = 'sheet_period') as sheet_period_code,
        max(day) filter (where field = 'sheet_period') as sheet_period_start_date
    from form_cell
    where section = 'head'
    group by submission_id, sheet
),

sheet_row as (
    select
        submission_id,
        sheet,
        row_number,
        max(code) filter (where field = 'direction') as direction,
        max(cell) filter (where field = 'direction') as direction_cell,
        max(trim(text)) filter (where field = 'affiliate_name') as affiliate_name,
        max(cell) filter (where field = 'affiliate_name') as affiliate_name_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(code) filter (where field = 'industry_code') as industry_code,
        max(cell) filter (where field = 'industry_code') as industry_cell,
        max(number) filter (where field = 'holding_share_pct') as holding_share_pct,
        max(state) filter (where field = 'holding_share_pct') as holding_share_state,
        max(cell) filter (where field = 'holding_share_pct') as holding_share_cell,
        max(number) filter (where field = 'sales_revenue') as sales_revenue,
        max(text) filter (where field = 'sales_revenue') as sales_revenue_text,
        max(state) filter (where field = 'sales_revenue') as sales_revenue_state,
        max(cell) filter (where field = 'sales_revenue') as sales_revenue_cell,
        max(number) filter (where field = 'services_revenue') as services_revenue,
        max(text) filter (where field = 'services_revenue') as services_revenue_text,
        max(state) filter (where field = 'services_revenue') as services_revenue_state,
        max(cell) filter (where field = 'services_revenue') as services_revenue_cell,
        max(number) filter (where field = 'employee_count') as employee_count,
        max(text) filter (where field = 'employee_count') as employee_count_text,
        max(state) filter (where field = 'employee_count') as employee_count_state,
        max(cell) filter (where field = 'employee_count') as employee_count_cell,
        max(text) filter (where field = 'remark') as remark,
        min(cell) as first_cell
    from form_cell
    where section = 'row'
    group by submission_id, sheet, row_number
)

select
    submission.month_start_date,
    sheet_row.submission_id,
    submission.enterprise_code,
    sheet_row.sheet,
    sheet_row.row_number,
    sheet_head.sheet_period_code,
    sheet_head.sheet_period_start_date,
    sheet_row.direction,
    sheet_row.direction_cell,
    sheet_row.affiliate_name,
    sheet_row.affiliate_name_cell,
    sheet_row.partner_code,
    sheet_row.partner_cell,
    sheet_row.industry_code,
    sheet_row.industry_cell,
    sheet_row.holding_share_pct,
    sheet_row.holding_share_state,
    sheet_row.holding_share_cell,
    sheet_row.sales_revenue,
    sheet_row.sales_revenue_text,
    sheet_row.sales_revenue_state,
    sheet_row.sales_revenue_cell,
    sheet_row.services_revenue,
    sheet_row.services_revenue_text,
    sheet_row.services_revenue_state,
    sheet_row.services_revenue_cell,
    sheet_row.employee_count,
    sheet_row.employee_count_text,
    sheet_row.employee_count_state,
    sheet_row.employee_count_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.services_revenue_cell, sheet_row.sales_revenue_cell, sheet_row.affiliate_name_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
