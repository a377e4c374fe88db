-- table:  raw.month_closing
-- title:  已结账月份 / Months that are closed, and up to where the ledger counts in them
-- grain:  one row per closed or published month; none for a month that is being revised
-- column: month_start_date | date | first day of the reference month
-- column: closed_sequence | bigint | the last file that arrived before the closing; later ones change nothing in the month
create table if not exists raw.month_closing (
    month_start_date date,
    closed_sequence bigint
)
