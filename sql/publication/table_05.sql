-- table:  publication.table_05
-- title:  表5 服务外包情况 / Table 5 Service outsourcing
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.outsourcing, core.withheld_count
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | scope and type: all_all, offshore_ITO ...
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
    select 1 as row_number, 'all' as scope, 'all' as outsourcing_type, '服务外包合计' as label_zh, 'All outsourcing' as label_en, 0 as indent
    union all
    select 2, 'all', 'ITO', '信息技术外包（ITO）', 'Information technology (ITO)', 1
    union all
    select 3, 'all', 'BPO', '业务流程外包（BPO）', 'Business process (BPO)', 1
    union all
    select 4, 'all', 'KPO', '知识流程外包（KPO）', 'Knowledge process (KPO)', 1
    union all
    select 5, 'offshore', 'all', '#离岸服务外包', '# Offshore outsourcing', 0
    union all
    select 6, 'offshore', 'ITO', '信息技术外包（ITO）', 'Information technology (ITO)', 1
    union all
    select 7, 'offshore', 'BPO', '业务流程外包（BPO）', 'Business process (BPO)', 1
    union all
    select 8, 'offshore', 'KPO', '知识流程外包（KPO）', 'Knowledge process (KPO)', 1
    union all
    select 9, 'onshore', 'all', '#在岸服务外包', '# Onshore outsourcing', 0
),
measure_period as (
    select 'contract' as measure, 'month' as period
    union all
    select 'contract', 'ytd'
    union all
    select 'executed', 'month'
    union all
    select 'executed', 'ytd'
),
outsourcing as (
    select
        scope,
        outsourcing_type,
        measure,
        period,
        amount,
        growth_pct,
        growth_blank_reason,
        status
    from indicators.outsourcing
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and currency_code = 'USD'
),
whole as (
    select measure, period, amount
    from outsourcing
    where scope = 'all'
      and outsourcing_type = 'all'
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
      and dimension in ('outsourcing')
),
printed as (
    select
        printed_row.row_number,
        printed_row.scope || '_' || printed_row.outsourcing_type as row_code,
        printed_row.label_zh,
        printed_row.label_en,
        printed_row.indent,
        measure_period.measure,
        measure_period.period,
        case when withheld.is_all_withheld is not true then outsourcing.amount end as amount,
        case when withheld.is_all_withheld is not true then outsourcing.growth_pct end as growth_pct,
        case when withheld.is_all_withheld then 'withheld' else outsourcing.growth_blank_reason end as growth_blank_reason,
        case when whole.amount > 0 then 100 * cast(outsourcing.amount as double) / nullif(cast(whole.amount as double), 0) end as share_pct,
        case when withheld.is_all_withheld then 'withheld' else 'not_reported' end as amount_blank_reason,
        case when withheld.row_code is not null then 'preliminary' else outsourcing.status end as status
    from printed_row
    cross join measure_period
    left join outsourcing
        on outsourcing.scope = printed_row.scope
        and outsourcing.outsourcing_type = printed_row.outsourcing_type
        and outsourcing.measure = measure_period.measure
        and outsourcing.period = measure_period.period
    left join whole
        on whole.measure = measure_period.measure
        and whole.period = measure_period.period
    left join withheld
        on withheld.row_code = printed_row.scope || '_' || printed_row.outsourcing_type
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
        cast(cast(amount as decimal(24, 4)) * 0.0001 as decimal(38, 12)) as number,
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
      and measure = 'executed'
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
            when kind = 'amount' then cast(round(number, 0) as decimal(24, 6))
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
