-- table:  publication.table_09
-- title:  表9 服务贸易直报企业报送情况 / Table 9 Reporting by enterprises
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.reporting, reference.districts
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | total or a district code
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
    select 1 as row_number, 'total' as row_code, 'all' as district_code, '全市' as label_zh, 'Whole city' as label_en, 0 as indent
    union all
    select 1 + display_order, district_code, district_code, name_zh, name_en, 1
    from reference.districts
),
printed as (
    select
        printed_row.row_number,
        printed_row.row_code,
        printed_row.label_zh,
        printed_row.label_en,
        printed_row.indent,
        printed_row.district_code,
        reporting.expected_count,
        reporting.filed_count,
        reporting.zero_return_count,
        reporting.late_count,
        reporting.not_filed_count,
        reporting.accepted_count,
        reporting.queried_count,
        reporting.rejected_count,
        reporting.response_rate_pct,
        reporting.acceptance_rate_pct,
        reporting.coverage_pct
    from printed_row
    left join indicators.reporting as reporting
        on reporting.month_start_date = $month_start_date
        and reporting.district_code = printed_row.district_code
),
cells as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'expected_count' as column_code,
        cast(expected_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'filed_count' as column_code,
        cast(filed_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'zero_return_count' as column_code,
        cast(zero_return_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'late_count' as column_code,
        cast(late_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'not_filed_count' as column_code,
        cast(not_filed_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'accepted_count' as column_code,
        cast(accepted_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'queried_count' as column_code,
        cast(queried_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'rejected_count' as column_code,
        cast(rejected_count as decimal(24, 6)) as value,
        -- A district that the register does not know in this month has nothing to count.
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'response_rate_pct' as column_code,
        cast(round(cast(response_rate_pct as decimal(38, 12)), 1) as decimal(24, 6)) as value,
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'acceptance_rate_pct' as column_code,
        cast(round(cast(acceptance_rate_pct as decimal(38, 12)), 1) as decimal(24, 6)) as value,
        '—' as blank_symbol
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'coverage_pct' as column_code,
        cast(round(cast(coverage_pct as decimal(38, 12)), 1) as decimal(24, 6)) as value,
        case when district_code = 'all' then '' else '—' end as blank_symbol
    from printed
)
select
    cast($month_start_date as date) as month_start_date,
    cast(row_number as integer) as row_number,
    row_code,
    label_zh,
    label_en,
    cast(indent as integer) as indent,
    column_code,
    value,
    cast(null as varchar) as text_zh,
    cast(null as varchar) as text_en,
    case when value is null then blank_symbol end as symbol,
    case when value is not null then 'final' end as status
from cells
order by row_number, column_code
