-- table:  validated.outsourcing_line
-- title:  审核通过的服务外包合同行 / Rows of FM-3 of accepted returns
-- grain:  one row per accepted current return and contract row
-- reads:  raw.outsourcing_line, validated.filing
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: period_kind | varchar | month or months_1_2
-- column: contract_no | varchar | as typed
-- column: outsourcing_type | varchar | ITO, BPO or KPO
-- column: shore | varchar | offshore or onshore
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: contract_amount | decimal(30,10) | value of the contract, declared unit
-- column: contract_amount_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: executed | decimal(30,10) | executed this period, declared unit
-- column: executed_state | varchar | as contract_amount_state
-- column: executed_cumulative | decimal(30,10) | executed since signing, declared unit
-- column: signed_date | date | day of signature
-- column: contract_status | varchar | as on the form
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: contract_line_id | varchar | submission/sheet!cell of the contract value
-- column: line_id | varchar | submission/sheet!cell of the amount executed
-- method: docs/methods/outsourcing.md
select
    line.month_start_date,
    line.enterprise_code,
    filing.district_code,
    line.submission_id,
    line.period_kind,
    line.contract_no,
    line.outsourcing_type,
    line.shore,
    line.partner_code,
    line.contract_amount,
    line.contract_amount_state,
    line.executed,
    line.executed_state,
    line.executed_cumulative,
    line.signed_date,
    line.contract_status,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    line.submission_id || '/' || line.sheet || '!' || line.contract_amount_cell as contract_line_id,
    line.line_id
from raw.outsourcing_line as line
inner join validated.filing as filing
    on filing.submission_id = line.submission_id
    and filing.month_start_date = line.month_start_date
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.sheet, line.row_number
