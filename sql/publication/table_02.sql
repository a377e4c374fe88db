-- table:  publication.table_02
-- title:  表2 服务进出口分类别情况 / Table 2 Trade in services by category
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.trade_total, indicators.trade_by_item, reference.mofcom_categories, core.withheld_count
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | total, an EBOPS main item, knowledge_intensive or excluding_travel
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
with measure_period as (
    select 'total' as measure, 'month' as period
    union all
    select 'total', 'ytd'
    union all
    select 'exports', 'month'
    union all
    select 'exports', 'ytd'
    union all
    select 'imports', 'month'
    union all
    select 'imports', 'ytd'
),
printed_row as (
    select 1 as row_number, 'total' as row_code, '合计' as label_zh, 'Total' as label_en, 0 as indent
    union all
    -- The order in which the Ministry of Commerce publishes the twelve categories.
    select 1 + display_order, item_code, category_zh, category_en, 1
    from reference.mofcom_categories
    union all
    select 101, 'knowledge_intensive', '其中：知识密集型服务', 'Of which: knowledge-intensive services', 0
    union all
    select 102, 'excluding_travel', '剔除旅行', 'Total excluding travel', 0
),
whole as (
    select measure, period, amount
    from indicators.trade_total
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and currency_code = 'USD'
      and scope = 'all'
),
trade as (
    select
        measure,
        period,
        item_code as row_code,
        amount,
        growth_pct,
        growth_blank_reason,
        share_pct,
        status
    from indicators.trade_by_item
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and currency_code = 'USD'
    union all
    select
        part.measure,
        part.period,
        case when part.scope = 'all' then 'total' else part.scope end as row_code,
        part.amount,
        part.growth_pct,
        part.growth_blank_reason,
        case when whole.amount > 0 then 100 * cast(part.amount as double) / nullif(cast(whole.amount as double), 0) end as share_pct,
        part.status
    from indicators.trade_total as part
    inner join whole
        on whole.measure = part.measure
        and whole.period = part.period
    where part.month_start_date = $month_start_date
      and part.source = 'direct_report'
      and part.currency_code = 'USD'
),
-- What enterprises withheld: * where nothing else would count, preliminary where it is part.
withheld as (
    select
        code as row_code,
        measure,
        period,
        is_all_withheld
    from core.withheld_count
    where month_start_date = $month_start_date
      and dimension in ('scope', 'item')
),
printed as (
    select
        printed_row.row_number,
        printed_row.row_code,
        printed_row.label_zh,
        printed_row.label_en,
        printed_row.indent,
        measure_period.measure,
        measure_period.period,
        case when withheld.is_all_withheld is not true then trade.amount end as amount,
        case when withheld.is_all_withheld is not true then trade.growth_pct end as growth_pct,
        case when withheld.is_all_withheld then 'withheld' else trade.growth_blank_reason end as growth_blank_reason,
        case when withheld.is_all_withheld is not true then trade.share_pct end as share_pct,
        case when withheld.is_all_withheld then 'withheld' else 'not_reported' end as amount_blank_reason,
        case when withheld.row_code is not null then 'preliminary' else trade.status end as status
    from printed_row
    cross join measure_period
    left join trade
        on trade.row_code = printed_row.row_code
        and trade.measure = measure_period.measure
        and trade.period = measure_period.period
    left join withheld
        on withheld.row_code = printed_row.row_code
        and withheld.measure = measure_period.measure
        and withheld.period = measure_period.period
),
figures as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        measure || '_' || period || '_usd' as column_code,
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
        measure || '_' || period || '_growth_pct' as column_code,
        'growth' as kind,
        cast(growth_pct as decimal(38, 12)) as number,
        growth_blank_reason as blank_reason,
        status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        measure || '_ytd_share_pct' as column_code,
        'share' as kind,
        cast(share_pct as decimal(38, 12)) as number,
        case when amount is null then amount_blank_reason else 'not_applicable' end as blank_reason,
        status
    from printed
    where period = 'ytd'
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
    case when kind = 'growth' and rounded_number > 1000 then cast(cast(round(number * 0.01, 1) as decimal(20, 1)) as varchar) || '倍' end as text_zh,
    case when kind = 'growth' and rounded_number > 1000 then cast(cast(round(number * 0.01, 1) as decimal(20, 1)) as varchar) || ' times' end as text_en,
    case
        when kind = 'amount' and number <> 0 and rounded_number = 0 then '…'
        when number is null and blank_reason = 'withheld' then '*'
        when number is null and blank_reason in ('base_not_positive', 'months_1_2', 'not_applicable') then '—'
        when number is null then ''
    end as symbol,
    status
from rounded
order by row_number, column_code
