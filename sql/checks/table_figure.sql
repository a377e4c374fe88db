-- table:  checks.table_figure
-- title:  各表有数的单元格 / Cells with a figure in what is to be published
-- grain:  one row per table: the totals and each printed table
-- reads:  indicators.trade_total, publication.table_01, publication.table_02, publication.table_03, publication.table_04, publication.table_05, publication.table_06, publication.table_07, publication.table_08, publication.table_09
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: table_name | varchar | table
-- column: required_figure_count | bigint | rows with a figure, of the totals and of table 1, which has them whatever departments send
-- column: other_figure_count | bigint | rows with a figure, of the other tables
-- method: docs/rules.md
with counted as (
    select 'indicators.trade_total' as table_name, count(amount) as figure_count
    from indicators.trade_total
    where month_start_date = $month_start_date
    union all
    select 'publication.table_01' as table_name, count(value) as figure_count from publication.table_01 where month_start_date = $month_start_date
    union all
    select 'publication.table_02' as table_name, count(value) as figure_count from publication.table_02 where month_start_date = $month_start_date
    union all
    select 'publication.table_03' as table_name, count(value) as figure_count from publication.table_03 where month_start_date = $month_start_date
    union all
    select 'publication.table_04' as table_name, count(value) as figure_count from publication.table_04 where month_start_date = $month_start_date
    union all
    select 'publication.table_05' as table_name, count(value) as figure_count from publication.table_05 where month_start_date = $month_start_date
    union all
    select 'publication.table_06' as table_name, count(value) as figure_count from publication.table_06 where month_start_date = $month_start_date
    union all
    select 'publication.table_07' as table_name, count(value) as figure_count from publication.table_07 where month_start_date = $month_start_date
    union all
    select 'publication.table_08' as table_name, count(value) as figure_count from publication.table_08 where month_start_date = $month_start_date
    union all
    select 'publication.table_09' as table_name, count(value) as figure_count from publication.table_09 where month_start_date = $month_start_date
)
select
    cast($month_start_date as date) as month_start_date,
    table_name,
    case when table_name in ('indicators.trade_total', 'publication.table_01') then figure_count end
        as required_figure_count,
    case when table_name not in ('indicators.trade_total', 'publication.table_01') then figure_count end
        as other_figure_count
from counted
order by table_name
