-- table:  raw.technology_contract_line
-- title:  技术进出口合同填报行（各版本） / Rows of form FM-6, every version as filed
-- grain:  one row per submission, sheet and sheet row
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted: first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: period_kind | varchar | month or months_1_2
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: registration_no | varchar | 登记证编号, as typed
-- column: registration_no_cell | varchar | cell address
-- column: direction | varchar | export or import
-- column: direction_cell | varchar | cell address
-- column: contract_type | varchar | patent_transfer, patent_application_transfer, patent_licence, know_how, technical_service or other
-- column: contract_type_cell | varchar | cell address
-- column: partner_code | varchar | economy of the other party
-- column: partner_cell | varchar | cell address
-- column: contract_amount | decimal(30,10) | value of the contract as it stands, declared unit
-- column: contract_amount_text | varchar | as typed
-- column: contract_amount_state | varchar | as in raw.service_trade_line
-- column: contract_amount_cell | varchar | cell address
-- column: technology_fee | decimal(30,10) | of which technology fee, declared unit
-- column: technology_fee_text | varchar | as typed
-- column: technology_fee_state | varchar | as in raw.service_trade_line
-- column: technology_fee_cell | varchar | cell address
-- column: effective_date | date | day from which the contract is in effect
-- column: effective_date_cell | varchar | cell address
-- column: registered_date | date | day of registration, of the amendment for an amendment
-- column: registered_date_cell | varchar | cell address
-- column: is_amendment | boolean | marked 变更: the row changes a contract registered before; empty where not said
-- column: is_amendment_cell | varchar | cell address
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the contract's value; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-6'
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
        max(trim(coalesce(code, text))) filter (where field = 'registration_no') as registration_no,
        max(cell) filter (where field = 'registration_no') as registration_no_cell,
        max(code) filter (where field = 'direction') as direction,
        max(cell) filter (where field = 'direction') as direction_cell,
        max(code) filter (where field = 'contract_type') as contract_type,
        max(cell) filter (where field = 'contract_type') as contract_type_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(number) filter (where field = 'contract_amount') as contract_amount,
        max(text) filter (where field = 'contract_amount') as contract_amount_text,
        max(state) filter (where field = 'contract_amount') as contract_amount_state,
        max(cell) filter (where field = 'contract_amount') as contract_amount_cell,
        max(number) filter (where field = 'technology_fee') as technology_fee,
        max(text) filter (where field = 'technology_fee') as technology_fee_text,
        max(state) filter (where field = 'technology_fee') as technology_fee_state,
        max(cell) filter (where field = 'technology_fee') as technology_fee_cell,
        max(day) filter (where field = 'effective_date') as effective_date,
        max(cell) filter (where field = 'effective_date') as effective_date_cell,
        max(day) filter (where field = 'registered_date') as registered_date,
        max(cell) filter (where field = 'registered_date') as registered_date_cell,
        max(code) filter (where field = 'is_amendment') as is_amendment_mark,
        max(cell) filter (where field = 'is_amendment') as is_amendment_cell,
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
    sheet_row.registration_no,
    sheet_row.registration_no_cell,
    sheet_row.direction,
    sheet_row.direction_cell,
    sheet_row.contract_type,
    sheet_row.contract_type_cell,
    sheet_row.partner_code,
    sheet_row.partner_cell,
    sheet_row.contract_amount,
    sheet_row.contract_amount_text,
    sheet_row.contract_amount_state,
    sheet_row.contract_amount_cell,
    sheet_row.technology_fee,
    sheet_row.technology_fee_text,
    sheet_row.technology_fee_state,
    sheet_row.technology_fee_cell,
    sheet_row.effective_date,
    sheet_row.effective_date_cell,
    sheet_row.registered_date,
    sheet_row.registered_date_cell,
    sheet_row.is_amendment_mark = 'true' as is_amendment,
    sheet_row.is_amendment_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.contract_amount_cell, sheet_row.registration_no_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
