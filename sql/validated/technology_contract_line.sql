-- table:  validated.technology_contract_line
-- title:  审核通过的技术进出口合同行 / Rows of FM-6 of accepted returns
-- grain:  one row per accepted current return and row of the form
-- reads:  raw.technology_contract_line, validated.filing
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: period_kind | varchar | month or months_1_2
-- column: registration_no | varchar | 登记证编号, as typed
-- column: direction | varchar | export or import
-- column: contract_type | varchar | patent_transfer, patent_application_transfer, patent_licence, know_how, technical_service or other
-- column: partner_code | varchar | economy of the other party, ISO 3166 alpha-3
-- column: contract_amount | decimal(30,10) | value of the contract as it stands, declared unit
-- column: contract_amount_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: technology_fee | decimal(30,10) | of which technology fee, declared unit
-- column: technology_fee_state | varchar | as contract_amount_state
-- column: effective_date | date | day from which the contract is in effect
-- column: registered_date | date | day of registration, of the amendment for an amendment
-- column: is_amendment | boolean | marked 变更; empty where not said
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: fee_line_id | varchar | submission/sheet!cell of the technology fee; empty where that is blank
-- column: line_id | varchar | submission/sheet!cell of the contract's value
-- method: docs/methods/technology_contracts.md
select
    line.month_start_date,
    line.enterprise_code,
    filing.district_code,
    line.submission_id,
    line.period_kind,
    line.registration_no,
    line.direction,
    line.contract_type,
    line.partner_code,
    line.contract_amount,
    line.contract_amount_state,
    line.technology_fee,
    line.technology_fee_state,
    line.effective_date,
    line.registered_date,
    line.is_amendment,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    line.submission_id || '/' || line.sheet || '!' || line.technology_fee_cell as fee_line_id,
    line.line_id
from raw.technology_contract_line as line
inner join validated.filing as filing
    on filing.submission_id = line.submission_id
    and filing.month_start_date = line.month_start_date
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.sheet, line.row_number
