-- table:  publication.table_06
-- title:  表6 技术进出口合同情况 / Table 6 Technology import and export contracts
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.technology_contracts
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | measure and flow: contract_count_total, technology_fee_export ...; as enterprises report them: direct_contract_count_total ...
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
    select 1 as row_number, 'department' as source, '' as code_prefix, 'contract_count' as measure, 'total' as flow, '合同数（份）' as label_zh, 'Contracts (number)' as label_en, 0 as indent
    union all
    select 2, 'department', '', 'contract_count', 'export', '技术出口', 'Technology exports', 1
    union all
    select 3, 'department', '', 'contract_count', 'import', '技术进口', 'Technology imports', 1
    union all
    select 4, 'department', '', 'contract_amount', 'total', '合同金额（万美元）', 'Contract value (USD 10 000)', 0
    union all
    select 5, 'department', '', 'contract_amount', 'export', '技术出口', 'Technology exports', 1
    union all
    select 6, 'department', '', 'contract_amount', 'import', '技术进口', 'Technology imports', 1
    union all
    select 7, 'department', '', 'technology_fee', 'total', '#技术费（万美元）', '# Technology fees (USD 10 000)', 0
    union all
    select 8, 'department', '', 'technology_fee', 'export', '技术出口', 'Technology exports', 1
    union all
    select 9, 'department', '', 'technology_fee', 'import', '技术进口', 'Technology imports', 1
    union all
    select 11, 'direct_report', 'direct_', 'contract_count', 'total', '企业直报：合同数（份）', 'Reported by enterprises: contracts (number)', 0
    union all
    select 12, 'direct_report', 'direct_', 'contract_count', 'export', '技术出口', 'Technology exports', 1
    union all
    select 13, 'direct_report', 'direct_', 'contract_count', 'import', '技术进口', 'Technology imports', 1
    union all
    select 14, 'direct_report', 'direct_', 'contract_amount', 'total', '企业直报：合同金额（万美元）', 'Reported by enterprises: contract value (USD 10 000)', 0
    union all
    select 15, 'direct_report', 'direct_', 'contract_amount', 'export', '技术出口', 'Technology exports', 1
    union all
    select 16, 'direct_report', 'direct_', 'contract_amount', 'import', '技术进口', 'Technology imports', 1
    union all
    select 17, 'direct_report', 'direct_', 'technology_fee', 'total', '企业直报：技术费（万美元）', 'Reported by enterprises: technology fees (USD 10 000)', 0
    union all
    select 18, 'direct_report', 'direct_', 'technology_fee', 'export', '技术出口', 'Technology exports', 1
    union all
    select 19, 'direct_report', 'direct_', 'technology_fee', 'import', '技术进口', 'Technology imports', 1
),
printed_period as (
    select 'month' as period
    union all
    select 'ytd'
),
contracts as (
    select
        source,
        flow,
        measure,
        period,
        -- Contracts are counted, money is printed in units of USD 10,000.
        case
            when measure = 'contract_count' then cast(amount as decimal(38, 12))
            else cast(cast(amount as decimal(24, 4)) * 0.0001 as decimal(38, 12))
        end as number,
        growth_pct,
        growth_blank_reason,
        status
    from indicators.technology_contracts
    where month_start_date = $month_start_date
      and (measure = 'contract_count' or currency_code = 'USD')
),
printed as (
    select
        printed_row.row_number,
        printed_row.code_prefix || printed_row.measure || '_' || printed_row.flow as row_code,
        printed_row.label_zh,
        printed_row.label_en,
        printed_row.indent,
        printed_period.period,
        contracts.number,
        contracts.growth_pct,
        contracts.growth_blank_reason,
        contracts.status
    from printed_row
    cross join printed_period
    left join contracts
        on contracts.source = printed_row.source
        and contracts.measure = printed_row.measure
        and contracts.flow = printed_row.flow
        and contracts.period = printed_period.period
),
figures as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        period || '_value' as column_code,
        'amount' as kind,
        number,
        'not_reported' as blank_reason,
        status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        period || '_growth_pct' as column_code,
        'growth' as kind,
        cast(growth_pct as decimal(38, 12)) as number,
        growth_blank_reason as blank_reason,
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
        when number is null and blank_reason in ('base_not_positive', 'months_1_2', 'not_applicable') then '—'
        when number is null then ''
    end as symbol,
    status
from rounded
order by row_number, column_code
