-- table:  raw.person_movement_line
-- title:  自然人移动填报行（各版本） / Rows of form FM-5, every version as filed
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
-- column: direction | varchar | export (sent abroad) or import (received)
-- column: direction_cell | varchar | cell address
-- column: item_code | varchar | EBOPS 2010 item as recognised; empty if not
-- column: item_cell | varchar | cell address
-- column: partner_code | varchar | economy to or from which they moved
-- column: partner_cell | varchar | cell address
-- column: person_count | decimal(30,10) | persons
-- column: person_count_text | varchar | as typed
-- column: person_count_state | varchar | as in raw.service_trade_line
-- column: person_count_cell | varchar | cell address
-- column: person_days | decimal(30,10) | days worked, all persons together
-- column: person_days_text | varchar | as typed
-- column: person_days_state | varchar | as in raw.service_trade_line
-- column: person_days_cell | varchar | cell address
-- column: contract_amount | decimal(30,10) | value of the contracts, declared unit
-- column: contract_amount_text | varchar | as typed
-- column: contract_amount_state | varchar | as in raw.service_trade_line
-- column: contract_amount_cell | varchar | cell address
-- column: remuneration | decimal(30,10) | pay of the persons, declared unit
-- column: remuneration_text | varchar | as typed
-- column: remuneration_state | varchar | as in raw.service_trade_line
-- column: remuneration_cell | varchar | cell address
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the contract value; of the row where that is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-5'
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
        max(code) filter (where field = 'item_code') as item_code,
        coalesce(max(cell) filter (where field = 'item_code'), max(cell) filter (where field = 'item_name')) as item_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(number) filter (where field = 'person_count') as person_count,
        max(text) filter (where field = 'person_count') as person_count_text,
        max(state) filter (where field = 'person_count') as person_count_state,
        max(cell) filter (where field = 'person_count') as person_count_cell,
        max(number) filter (where field = 'person_days') as person_days,
        max(text) filter (where field = 'person_days') as person_days_text,
        max(state) filter (where field = 'person_days') as person_days_state,
        max(cell) filter (where field = 'person_days') as person_days_cell,
        max(number) filter (where field = 'contract_amount') as contract_amount,
        max(text) filter (where field = 'contract_amount') as contract_amount_text,
        max(state) filter (where field = 'contract_amount') as contract_amount_state,
        max(cell) filter (where field = 'contract_amount') as contract_amount_cell,
        max(number) filter (where field = 'remuneration') as remuneration,
        max(text) filter (where field = 'remuneration') as remuneration_text,
        max(state) filter (where field = 'remuneration') as remuneration_state,
        max(cell) filter (where field = 'remuneration') as remuneration_cell,
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
    sheet_row.item_code,
    sheet_row.item_cell,
    sheet_row.partner_code,
    sheet_row.partner_cell,
    sheet_row.person_count,
    sheet_row.person_count_text,
    sheet_row.person_count_state,
    sheet_row.person_count_cell,
    sheet_row.person_days,
    sheet_row.person_days_text,
    sheet_row.person_days_state,
    sheet_row.person_days_cell,
    sheet_row.contract_amount,
    sheet_row.contract_amount_text,
    sheet_row.contract_amount_state,
    sheet_row.contract_amount_cell,
    sheet_row.remuneration,
    sheet_row.remuneration_text,
    sheet_row.remuneration_state,
    sheet_row.remuneration_cell,
    sheet_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    sheet_row.submission_id || '/' || sheet_row.sheet || '!'
    || coalesce(sheet_row.contract_amount_cell, sheet_row.remuneration_cell, sheet_row.person_count_cell, sheet_row.item_cell, sheet_row.first_cell) as line_id
from sheet_row
inner join raw.submission as submission on submission.submission_id = sheet_row.submission_id
left join sheet_head on sheet_head.submission_id = sheet_row.submission_id and sheet_head.sheet = sheet_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by sheet_row.submission_id, sheet_row.sheet, sheet_row.row_number
