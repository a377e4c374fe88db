-- table:  raw.service_trade_total
-- title:  服务进出口合计行（各版本） / Printed totals of form FM-2, every version as filed
-- grain:  one row per submission, sheet, total row, flow and measure
-- reads:  raw.return_cell, raw.submission
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: flow | varchar | export or import
-- column: measure | varchar | month or ytd
-- column: amount | decimal(30,10) | printed total in the declared unit
-- column: amount_text | varchar | as typed
-- column: amount_state | varchar | as in raw.service_trade_line
-- column: cell | varchar | cell address
with total_cell as (
    select
        cell.month_start_date,
        cell.submission_id,
        submission.enterprise_code,
        cell.sheet,
        cell.row_number,
        case when cell.field in ('export', 'export_ytd') then 'export' else 'import' end as flow,
        case when cell.field in ('export', 'import') then 'month' else 'ytd' end as measure,
        cell.number as amount,
        cell.text as amount_text,
        cell.state as amount_state,
        cell.cell
    from raw.return_cell as cell
    inner join raw.submission as submission on submission.submission_id = cell.submission_id
    where cell.month_start_date = $month_start_date
      and cell.form_code = 'FM-2'
      and cell.section = 'total'
      and cell.field in ('export', 'export_ytd', 'import', 'import_ytd')
)

select
    month_start_date,
    submission_id,
    enterprise_code,
    sheet,
    row_number,
    flow,
    measure,
    amount,
    amount_text,
    amount_state,
    cell
from total_cell
order by submission_id, sheet, row_number, flow, measure, cell
