-- table:  raw.month_closing
-- title:  结过账的月份 / Months that were closed, and up to where the ledger counts in those that still are
-- grain:  one row per month that is closed, published or being revised
-- column: month_start_date | date | first day of the reference month
-- column: closed_sequence | bigint | the last file that arrived before the closing; later ones change nothing in the month; NULL while it is being revised
create table if not exists raw.month_closing (
    month_start_date date,
    closed_sequence bigint
)
