-- table:  validated.tcm_service_line
-- title:  审核通过的中医药服务行 / Rows of FM-7 of accepted returns
-- grain:  one row per accepted current return and row of the form
-- reads:  raw.tcm_service_line, validated.sheet_filing
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted; the figures are of sheet_period_code
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival
-- column: sheet_period_code | varchar | period of the figures: 2025-Q1
-- column: sheet_period_start_date | date | its first day
-- column: service_kind | varchar | medical, education, research, wellness, culture or other
-- column: visit_count | decimal(30,10) | visits of foreign patients
-- column: visit_count_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: trainee_count | decimal(30,10) | foreign trainees
-- column: trainee_count_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: institution_count | decimal(30,10) | institutions abroad, at the end of the quarter
-- column: institution_count_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: revenue | decimal(30,10) | revenue from services, declared unit
-- column: revenue_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: remote_revenue | decimal(30,10) | of which delivered remotely, declared unit
-- column: remote_revenue_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | where the figure stands: submission/sheet!cell of the revenue
-- method: docs/methods/tcm_services.md
select
    line.month_start_date,
    line.enterprise_code,
    filing.district_code,
    line.submission_id,
    filing.sequence,
    line.sheet_period_code,
    line.sheet_period_start_date,
    line.service_kind,
    line.visit_count,
    line.visit_count_state,
    line.trainee_count,
    line.trainee_count_state,
    line.institution_count,
    line.institution_count_state,
    line.revenue,
    line.revenue_state,
    line.remote_revenue,
    line.remote_revenue_state,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    line.line_id
from raw.tcm_service_line as line
inner join validated.sheet_filing as filing
    on filing.submission_id = line.submission_id
    and filing.month_start_date = line.month_start_date
    and filing.sheet_period_code = line.sheet_period_code
    and filing.form_code = 'FM-7'
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.submission_id, line.sheet, line.row_number
