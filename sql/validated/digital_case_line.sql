-- table:  validated.digital_case_line
-- title:  审核通过的数字贸易案例行 / Rows of FM-8 of accepted returns
-- grain:  one row per accepted current return and row of the form
-- reads:  raw.digital_case_line, validated.sheet_filing
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted; the figures are of sheet_period_code
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival
-- column: sheet_period_code | varchar | period of the figures
-- column: sheet_period_start_date | date | its first day
-- column: case_name | varchar | as typed
-- column: delivery_mode | varchar | digitally_ordered, digitally_delivered or platform
-- column: item_code | varchar | EBOPS 2010 item
-- column: partner_code | varchar | economy of the other side
-- column: annual_amount | decimal(30,10) | value of a year, declared unit
-- column: annual_amount_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: summary | varchar | as typed
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/digital_case.md
select
    line.month_start_date,
    line.enterprise_code,
    filing.district_code,
    line.submission_id,
    filing.sequence,
    line.sheet_period_code,
    line.sheet_period_start_date,
    line.case_name,
    line.delivery_mode,
    line.item_code,
    line.partner_code,
    line.annual_amount,
    line.annual_amount_state,
    line.summary,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    line.line_id
from raw.digital_case_line as line
inner join validated.sheet_filing as filing
    on filing.submission_id = line.submission_id
    and filing.month_start_date = line.month_start_date
    and filing.sheet_period_code = line.sheet_period_code
    and filing.form_code = 'FM-8'
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.submission_id, line.sheet, line.row_number
