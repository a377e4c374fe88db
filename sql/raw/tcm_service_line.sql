-- table:  raw.tcm_service_line
-- title:  中医药服务填报行（各版本） / Rows of form FM-7, every version as filed
-- grain:  one row per submission, sheet and sheet row
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted; the figures are of sheet_period_code
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: sheet_period_code | varchar | period of the figures: 2025-Q1; empty if it could not be read
-- column: sheet_period_start_date | date | its first day
-- column: service_kind | varchar | medical, education, research, wellness, culture or other
-- column: service_kind_cell | varchar | cell address
-- column: visit_count | decimal(30,10) | visits of foreign patients
-- column: visit_count_text | varchar | as typed
-- column: visit_count_state | varchar | as in raw.service_trade_line
-- column: visit_count_cell | varchar | cell address
-- column: trainee_count | decimal(30,10) | foreign trainees
-- column: trainee_count_text | varchar | as typed
-- column: trainee_count_state | varchar | as in raw.service_trade_line
-- column: trainee_count_cell | varchar | cell address
-- column: institution_count | decimal(30,10) | institutions abroad, at the end of the quarter
-- column: institution_count_text | varchar | as typed
-- column: institution_count_state | varchar | as in raw.service_trade_line
-- column: institution_count_cell | varchar | cell address
-- column: revenue | decimal(30,10) | revenue from services, declared unit
-- column: revenue_text | varchar | as typed
-- column: revenue_state | varchar | as in raw.service_trade_line
-- column: revenue_cell | varchar | cell address
-- column: remote_revenue | decimal(30,10) | of which delivered remotely, declared unit
-- column: remote_revenue_text | varchar | as typed
-- column: remote_revenue_state | varchar | as in raw.service_trade_line
-- column: remote_revenue_cell | varchar | cell address
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the revenue; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-7'
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
        max(code) filter (where field = 'service_kind') as service_kind,
        max(cell) filter (where field = 'service_kind') as service_kind_cell,
        max(number) filter (where field = 'visit_count') as visit_count,
        max(text) filter (where field = 'visit_count') as visit_count_text,
        max(state) filter (where field = 'visit_count') as visit_count_state,
        max(cell) filter (where field = 'visit_count') as visit_count_cell,
        max(number) filter (where field = 'trainee_count') as trainee_count,
        max(text) filter (where field = 'trainee_count') as trainee_count_text,
        max(state) filter (where field = 'trainee_count') as trainee_count_state,
        max(cell) filter (where field = 'trainee_count') as trainee_count_cell,
        max(number) filter (where field = 'institution_count') as institution_count,
        max(text) filter (where field = 'institution_count') as institution_count_text,
        max(state) filter (where field = 'institution_count') as institution_count_state,
        max(cell) filter (where field = 'institution_count') as institution_count_cell,
        max(number) filter (where field = 'revenue') as revenue,
        max(text) filter (where field = 'revenue') as revenue_text,
        max(state) filter (where field = 'revenue') as revenue_state,
        max(cell) filter (where field = 'revenue') as revenue_cell,
        max(number) filter (where field = 'remote_revenue') as remote_revenue,
        max(text) filter (where field = 'remote_revenue') as remote_revenue_text,
        max(state) filter (where field = 'remote_revenue') as remote_revenue_state,
        max(cell) filter (where field = 'remote_revenue') as remote_revenue_cell,
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
    sheet_row.service_kind,
    sheet_row.service_kind_cell,
    sheet_row.visit_count,
    sheet_row.visit_count_text,
    sheet_row.visit_count_state,
    sheet_row.visit_count_cell,
    sheet_row.trainee_count,
    sheet_row.trainee_count_text,
    sheet_row.trainee_count_state,
    sheet_row.trainee_count_cell,
    sheet_row.institution_count,
    sheet_row.institution_count_text,
    sheet_row.institution_count_state,
    sheet_row.institution_count_cell,
    sheet_row.revenue,
    sheet_row.revenue_text,
    sheet_row.revenue_state,
    sheet_row.revenue_cell,
    sheet_row.remote_revenue,
    sheet_row.remote_revenue_text,
    sheet_row.remote_revenue_state,
    sheet_row.remote_revenue_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.revenue_cell, sheet_row.service_kind_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
