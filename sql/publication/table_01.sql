-- table:  publication.table_01
-- title:  表1 服务进出口总体情况 / Table 1 Trade in services, overview
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.trade_total, core.withheld_count
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | measure: total, exports, imports or balance
-- column: label_zh | varchar | printed label of the row
-- column: label_en | varchar | the same in English
-- column: indent | integer | depth of the row below its heading
-- column: column_code | varchar | column in pipelines/publication/tables.yaml; heading for a row without figures
-- column: value | decimal(24,6) | figure in the unit of the column, rounded here and nowhere else; empty if there is none
-- column: text_zh | varchar | words printed in place of the figure
-- column: text_en | varchar | the same in English
-- column: symbol | varchar | mark printed in place of a figure: — not applicable, … below half a unit, * withheld, blank not reported
-- column: status | varchar | preliminary or final; empty where there is no figure
-- method: docs/tables.md
with printed_row as (
    select 1 as row_number, 'total' as row_code, '服务进出口' as label_zh, 'Total trade in services' as label_en, 0 as indent
    union all
    select 2, 'exports', '出口', 'Exports', 1
    union all
    select 3, 'imports', '进口', 'Imports', 1
    union all
    select 4, 'balance', '差额', 'Balance', 0
),
printed_block as (
    select 'month' as period, 'USD' as currency_code, 'month_usd' as column_code
    union all
    select 'ytd', 'USD', 'ytd_usd'
    union all
    select 'month', 'CNY', 'month_cny'
    union all
    select 'ytd', 'CNY', 'ytd_cny'
),
trade as (
    select
        measure,
        period,
        currency_code,
        amount,
        base_amount,
        growth_pct,
        growth_blank_reason,
        status
    from indicators.trade_total
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and scope = 'all'
),
-- What enterprises withheld: * where nothing else would count, preliminary where it is part.
withheld as (
    select
        measure as row_code,
        measure,
        period,
        is_all_withheld
    from core.withheld_count
    where month_start_date = $month_start_date
      and dimension in ('scope')
      and code = 'total'
),
printed as (
    select
        printed_row.row_number,
        printed_row.row_code,
        printed_row.label_zh,
        printed_row.label_en,
        printed_row.indent,
        printed_block.column_code,
        case when withheld.is_all_withheld is not true then trade.amount end as amount,
        case when withheld.is_all_withheld is not true then trade.base_amount end as base_amount,
        case when withheld.is_all_withheld is not true then trade.growth_pct end as growth_pct,
        case when withheld.is_all_withheld then 'withheld' else trade.growth_blank_reason end as growth_blank_reason,
        case when withheld.is_all_withheld then 'withheld' else 'not_reported' end as amount_blank_reason,
        case when withheld.row_code is not null then 'preliminary' else trade.status end as status
    from printed_row
    cross join printed_block
    left join trade
        on trade.measure = printed_row.row_code
        and trade.period = printed_block.period
        and trade.currency_code = printed_block.currency_code
    left join withheld
        on withheld.row_code = printed_row.row_code
        and withheld.period = printed_block.period
),
figures as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        column_code,
        'amount' as kind,
        cast(cast(amount as decimal(24, 4)) * 0.00000001 as decimal(38, 12)) as number,
        amount_blank_reason as blank_reason,
        status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        column_code || '_growth_pct' as column_code,
        'growth' as kind,
        -- A balance has no growth rate; where its sign turned, that is said in words.
        case when row_code <> 'balance' then cast(growth_pct as decimal(38, 12)) end as number,
        case
            when row_code <> 'balance' then growth_blank_reason
            when amount is null then amount_blank_reason
            when base_amount is null then 'not_reported'
            when amount > 0 and base_amount < 0 then 'turned_to_surplus'
            when amount < 0 and base_amount > 0 then 'turned_to_deficit'
            else 'not_applicable'
        end as blank_reason,
        status
    from printed
),
-- Rounded once, half up, to the decimals of tables.yaml.
rounded as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        column_code,
        kind,
        number,
        blank_reason,
        status,
        case
            when kind = 'amount' then cast(round(number, 2) as decimal(24, 6))
            else cast(round(number, 1) as decimal(24, 6))
        end as rounded_number
    from figures
)
select
    cast($month_start_date as date) as month_start_date,
    cast(row_number as integer) as row_number,
    row_code,
    label_zh,
    label_en,
    cast(indent as integer) as indent,
    column_code,
    case when kind = 'amount' and number <> 0 and rounded_number = 0 then null else rounded_number end as value,
    case
        when kind = 'growth' and rounded_number > 1000 then cast(cast(round(number * 0.01, 1) as decimal(20, 1)) as varchar) || '倍'
        when blank_reason = 'turned_to_surplus' then '由逆转顺'
        when blank_reason = 'turned_to_deficit' then '由顺转逆'
    end as text_zh,
    case
        when kind = 'growth' and rounded_number > 1000 then cast(cast(round(number * 0.01, 1) as decimal(20, 1)) as varchar) || ' times'
        when blank_reason = 'turned_to_surplus' then 'to surplus'
        when blank_reason = 'turned_to_deficit' then 'to deficit'
    end as text_en,
    case
        when kind = 'amount' and number <> 0 and rounded_number = 0 then '…'
        when blank_reason in ('turned_to_surplus', 'turned_to_deficit') then null
        when number is null and blank_reason = 'withheld' then '*'
        when number is null and blank_reason in ('base_not_positive', 'months_1_2', 'not_applicable') then '—'
        when number is null then ''
    end as symbol,
    status
from rounded
order by row_number, column_code
