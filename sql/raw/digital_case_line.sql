-- table:  raw.digital_case_line
-- title:  数字贸易案例填报行（各版本） / Rows of form FM-8, every version as filed
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
-- column: case_name | varchar | as typed
-- column: case_name_cell | varchar | cell address
-- column: delivery_mode | varchar | digitally_ordered, digitally_delivered or platform
-- column: delivery_mode_cell | varchar | cell address
-- column: item_code | varchar | EBOPS 2010 item as recognised; empty if not
-- column: item_cell | varchar | cell address
-- column: partner_code | varchar | economy of the other side
-- column: partner_cell | varchar | cell address
-- column: annual_amount | decimal(30,10) | value of a year, declared unit
-- column: annual_amount_text | varchar | as typed
-- column: annual_amount_state | varchar | as in raw.service_trade_line
-- column: annual_amount_cell | varchar | cell address
-- column: summary | varchar | 摘要, as typed
-- column: summary_cell | varchar | cell address
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the value of a year; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-8'
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
        max(trim(text)) filter (where field = 'case_name') as case_name,
        max(cell) filter (where field = 'case_name') as case_name_cell,
        max(code) filter (where field = 'delivery_mode') as delivery_mode,
        max(cell) filter (where field = 'delivery_mode') as delivery_mode_cell,
        max(code) filter (where field = 'item_code') as item_code,
        coalesce(max(cell) filter (where field = 'item_code'), max(cell) filter (where field = 'item_name')) as item_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(number) filter (where field = 'annual_amount') as annual_amount,
        max(text) filter (where field = 'annual_amount') as annual_amount_text,
        max(state) filter (where field = 'annual_amount') as annual_amount_state,
        max(cell) filter (where field = 'annual_amount') as annual_amount_cell,
        max(trim(text)) filter (where field = 'summary') as summary,
        max(cell) filter (where field = 'summary') as summary_cell,
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
    sheet_row.case_name,
    sheet_row.case_name_cell,
    sheet_row.delivery_mode,
    sheet_row.delivery_mode_cell,
    sheet_row.item_code,
    sheet_row.item_cell,
    sheet_row.partner_code,
    sheet_row.partner_cell,
    sheet_row.annual_amount,
    sheet_row.annual_amount_text,
    sheet_row.annual_amount_state,
    sheet_row.annual_amount_cell,
    sheet_row.summary,
    sheet_row.summary_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.annual_amount_cell, sheet_row.case_name_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
