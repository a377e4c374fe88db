-- table:  raw.service_trade_line
-- title:  服务进出口填报行（各版本） / Rows of form FM-2, every version as filed
-- grain:  one row per submission, sheet row and flow; both flows even where blank
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: period_kind | varchar | month or months_1_2
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: flow | varchar | export or import
-- column: item_code | varchar | EBOPS 2010 item as recognised; empty if not
-- column: item_text | varchar | as typed
-- column: item_cell | varchar | cell address
-- column: partner_code | varchar | partner as recognised; empty if not
-- column: partner_text | varchar | as typed
-- column: partner_cell | varchar | cell address
-- column: amount | decimal(30,10) | this month, in the declared unit; empty unless the state is value or zero
-- column: amount_text | varchar | as typed
-- column: amount_state | varchar | value, zero, withheld, not_applicable or invalid; empty means blank: not reported
-- column: amount_cell | varchar | cell address
-- column: ytd_amount | decimal(30,10) | January to this month, in the declared unit
-- column: ytd_text | varchar | as typed
-- column: ytd_state | varchar | as amount_state
-- column: ytd_cell | varchar | cell address
-- column: remote_share_pct | decimal(30,10) | share delivered remotely (mode 1), per cent
-- column: remote_share_cell | varchar | cell address
-- column: related_party_share_pct | decimal(30,10) | share with related parties, per cent
-- column: remark | varchar | 说明: an explanation by the clerk
-- column: unit_code | varchar | declared unit of the sheet
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: line_id | varchar | submission/sheet!cell of the amount; of the row where the amount is blank
with form_cell as (
    select *
    from raw.return_cell
    where month_start_date = $month_start_date
      and form_code = 'FM-2'
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
        max(code) filter (where field = 'item_code') as item_code,
        max(text) filter (where field = 'item_code') as item_code_text,
        max(cell) filter (where field = 'item_code') as item_code_cell,
        max(text) filter (where field = 'item_name') as item_name_text,
        max(cell) filter (where field = 'item_name') as item_name_cell,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(text) filter (where field = 'partner_code') as partner_text,
        max(cell) filter (where field = 'partner_code') as partner_cell,
        max(number) filter (where field = 'export') as export_amount,
        max(text) filter (where field = 'export') as export_text,
        max(state) filter (where field = 'export') as export_state,
        max(cell) filter (where field = 'export') as export_cell,
        max(number) filter (where field = 'export_ytd') as export_ytd_amount,
        max(text) filter (where field = 'export_ytd') as export_ytd_text,
        max(state) filter (where field = 'export_ytd') as export_ytd_state,
        max(cell) filter (where field = 'export_ytd') as export_ytd_cell,
        max(number) filter (where field = 'import') as import_amount,
        max(text) filter (where field = 'import') as import_text,
        max(state) filter (where field = 'import') as import_state,
        max(cell) filter (where field = 'import') as import_cell,
        max(number) filter (where field = 'import_ytd') as import_ytd_amount,
        max(text) filter (where field = 'import_ytd') as import_ytd_text,
        max(state) filter (where field = 'import_ytd') as import_ytd_state,
        max(cell) filter (where field = 'import_ytd') as import_ytd_cell,
        max(number) filter (where field = 'export_remote_share_pct') as export_remote_share_pct,
        max(cell) filter (where field = 'export_remote_share_pct') as export_remote_share_cell,
        max(number) filter (where field = 'import_remote_share_pct') as import_remote_share_pct,
        max(cell) filter (where field = 'import_remote_share_pct') as import_remote_share_cell,
        max(number) filter (where field = 'related_party_share_pct') as related_party_share_pct,
        max(text) filter (where field = 'remark') as remark,
        min(cell) as first_cell
    from form_cell
    where section = 'row'
    group by submission_id, sheet, row_number
),

-- Both flows of every row: a blank side is a row with an empty state, so that "not reported" can be counted.
flow_row as (
    select
        submission_id, sheet, row_number, 'export' as flow,
        item_code, coalesce(item_code_text, item_name_text) as item_text, coalesce(item_code_cell, item_name_cell) as item_cell,
        partner_code, partner_text, partner_cell,
        export_amount as amount, export_text as amount_text, export_state as amount_state, export_cell as amount_cell,
        export_ytd_amount as ytd_amount, export_ytd_text as ytd_text, export_ytd_state as ytd_state, export_ytd_cell as ytd_cell,
        export_remote_share_pct as remote_share_pct, export_remote_share_cell as remote_share_cell,
        related_party_share_pct, remark, first_cell
    from sheet_row
    union all
    select
        submission_id, sheet, row_number, 'import' as flow,
        item_code, coalesce(item_code_text, item_name_text) as item_text, coalesce(item_code_cell, item_name_cell) as item_cell,
        partner_code, partner_text, partner_cell,
        import_amount as amount, import_text as amount_text, import_state as amount_state, import_cell as amount_cell,
        import_ytd_amount as ytd_amount, import_ytd_text as ytd_text, import_ytd_state as ytd_state, import_ytd_cell as ytd_cell,
        import_remote_share_pct as remote_share_pct, import_remote_share_cell as remote_share_cell,
        related_party_share_pct, remark, first_cell
    from sheet_row
)

select
    submission.month_start_date,
    flow_row.submission_id,
    submission.enterprise_code,
    submission.period_kind,
    flow_row.sheet,
    flow_row.row_number,
    flow_row.flow,
    flow_row.item_code,
    flow_row.item_text,
    flow_row.item_cell,
    flow_row.partner_code,
    flow_row.partner_text,
    flow_row.partner_cell,
    flow_row.amount,
    flow_row.amount_text,
    flow_row.amount_state,
    flow_row.amount_cell,
    flow_row.ytd_amount,
    flow_row.ytd_text,
    flow_row.ytd_state,
    flow_row.ytd_cell,
    flow_row.remote_share_pct,
    flow_row.remote_share_cell,
    flow_row.related_party_share_pct,
    flow_row.remark,
    sheet_head.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    flow_row.submission_id || '/' || flow_row.sheet || '!' || coalesce(flow_row.amount_cell, flow_row.item_cell, flow_row.first_cell) as line_id
from flow_row
inner join raw.submission as submission on submission.submission_id = flow_row.submission_id
left join sheet_head on sheet_head.submission_id = flow_row.submission_id and sheet_head.sheet = flow_row.sheet
left join reference.units as unit on unit.unit_code = sheet_head.unit_code
order by flow_row.submission_id, flow_row.sheet, flow_row.row_number, flow_row.flow
