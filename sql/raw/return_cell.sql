-- table:  raw.return_cell
-- title:  企业直报表单元格（原样） / Cells of direct-report returns, as filed
-- grain:  one row per filled cell of every version of every return
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-1 ... FM-8, DM-1 ... DM-6
-- column: sheet | varchar | sheet as named in the file
-- column: section | varchar | head, row or total
-- column: row_number | integer | row in the sheet, from 1
-- column: cell | varchar | cell address, F18
-- column: field | varchar | field of the form layout
-- column: text | varchar | as typed
-- column: number | decimal(30,10) | for number fields; empty when withheld, not applicable or invalid
-- column: code | varchar | normalised code or text
-- column: day | date | for dates and periods (first day)
-- column: state | varchar | value, zero, withheld, not_applicable or invalid; a blank cell has no row
create table if not exists raw.return_cell (
    month_start_date date,
    submission_id varchar,
    form_code varchar,
    sheet varchar,
    section varchar,
    row_number integer,
    cell varchar,
    field varchar,
    text varchar,
    number decimal(30,10),
    code varchar,
    day date,
    state varchar
)
