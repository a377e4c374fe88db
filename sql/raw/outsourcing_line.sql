-- table:  raw.outsourcing_line
-- title:  服务外包合同填报行（各版本） / Rows of form FM-3, every version as filed
-- grain:  one row per submission and sheet row
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: period_kind | varchar | month or months_1_2
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: contract_no | varchar | as typed
-- column: contract_no_cell | varchar | cell address
-- column: outsourcing_type | varchar | ITO, BPO or KPO
-- column: outsourcing_type_cell | varchar | cell address
-- column: shore | varchar | offshore or onshore
-- column: shore_cell | varchar | cell address
-- column: partner_code | varchar | economy of the customer
-- column: partner_cell | varchar | cell address
-- column: contract_amount | decimal(30,10) | value of the contract, declared unit
-- column: contract_amount_text | varchar | as typed
-- column: contract_amount_state | varchar | as in raw.service_trade_line
-- column: contract_amount_cell | varchar | cell address
-- column: executed | decimal(30,10) | executed this month, declared unit
-- column: executed_text | varchar | as typed
-- column: executed_state | varchar | as in raw.service_trade_line
-- column: executed_cell | varchar | cell address
-- column: executed_cumulative | decimal(30,10) | executed since signing, declared unit
-- column: executed_cumulative_text | varchar | as typed
-- column: executed_cumulative_state | varchar | as in raw.service_trade_line
-- column: executed_cumulative_cell | varchar | cell address
-- column: signed_date | date | day of signature
-- column: signed_date_cell | varchar | cell address
-- column: contract_status | varchar | as on the form
-- column: contract_status_cell | varchar | cell address
-- column: remark | varchar | an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the amount executed; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-3'
),

sheet_head as (
    select
        submission_id,
        sheet,
        max(code) filter (where field = 'unit') as unit_code
    from form_cell
    where section = 'head'
    group by submission_id, sheet
),

sheet_row as (
    select
        submission_id,
        sheet,
        row_number,
        max(text) filter (where field = 'contract_no') as contract_no,
        max(cell) filter (where field = 'contract_no') as contract_no_cell,
        max(code) filter (where field = 'outsourcing_type') as outsourcing_type,
        max(cell) filter (where field = 'outsourcing_type') as outsourcing_type_cell,
        max(code) filter (where field = 'shore') as shore,
        max(cell) filter (where field = 'shore') as shore_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(number) filter (where field = 'contract_amount') as contract_amount,
        max(text) filter (where field = 'contract_amount') as contract_amount_text,
        max(state) filter (where field = 'contract_amount') as contract_amount_state,
        max(cell) filter (where field = 'contract_amount') as contract_amount_cell,
        max(number) filter (where field = 'executed') as executed,
        max(text) filter (where field = 'executed') as executed_text,
        max(state) filter (where field = 'executed') as executed_state,
        max(cell) filter (where field = 'executed') as executed_cell,
        max(number) filter (where field = 'executed_cumulative') as executed_cumulative,
        max(text) filter (where field = 'executed_cumulative') as executed_cumulative_text,
        max(state) filter (where field = 'executed_cumulative') as executed_cumulative_state,
        max(cell) filter (where field = 'executed_cumulative') as executed_cumulative_cell,
        max(day) filter (where field = 'signed_date') as signed_date,
        max(cell) filter (where field = 'signed_date') as signed_date_cell,
        max(coalesce(code, text)) filter (where field = 'contract_status') as contract_status,
        max(cell) filter (where field = 'contract_status') as contract_status_cell,
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
    submission.period_kind,
    sheet_row.sheet,
    sheet_row.row_number,
    trim(sheet_row.contract_no) as contract_no,
    sheet_row.contract_no_cell,
    sheet_row.outsourcing_type,
    sheet_row.outsourcing_type_cell,
    sheet_row.shore,
    sheet_row.shore_cell,
    sheet_row.partner_code,
    sheet_row.partner_cell,
    sheet_row.contract_amount,
    sheet_row.contract_amount_text,
    sheet_row.contract_amount_state,
    sheet_row.contract_amount_cell,
    sheet_row.executed,
    sheet_row.executed_text,
    sheet_row.executed_state,
    sheet_row.executed_cell,
    sheet_row.executed_cumulative,
    sheet_row.executed_cumulative_text,
    sheet_row.executed_cumulative_state,
    sheet_row.executed_cumulative_cell,
    sheet_row.signed_date,
    sheet_row.signed_date_cell,
    sheet_row.contract_status,
    sheet_row.contract_status_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.executed_cell, sheet_row.contract_no_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
