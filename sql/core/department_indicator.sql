-- table:  core.department_indicator
-- title:  部门指标 / Indicators filed by departments (DM-4)
-- grain:  one row per indicator, area and period
-- reads:  validated.department_cell, reference.units, reference.department_series, reference.city_names
-- column: indicator | varchar | canonical name of sql/reference/department_series.csv; the name as filed where that has none
-- column: indicator_text | varchar | name as filed, without blanks
-- column: area | varchar | area the figure is for, as filed; empty means the city itself
-- column: is_city | boolean | a figure of the city: no area, or one of its names
-- column: period_code | varchar | 2017, 2020-03, 2020-H1 ...
-- column: period_start_date | date | first day of the period
-- column: period_end_date | date | last day of the period
-- column: period_kind | varchar | month, months_1_2, quarter, half_year or year
-- column: value | decimal(24,6) | in the unit filed; empty for a text
-- column: value_text | varchar | status in words, for qualitative indicators
-- column: unit | varchar | as filed
-- column: unit_multiplier | bigint | currency units, where the unit is money
-- column: currency_code | varchar | where the unit is money
-- column: department | varchar | department that filed it
-- column: is_provisional | boolean | 初步
-- column: note | varchar | as filed
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/department_tables.md
with table_row as (
    select
        sequence,
        submission_id,
        sheet,
        row_number,
        max(department) as filed_by,
        max(period_code) as period_code,
        max(period_start_date) as period_start_date,
        max(unit_code) as head_unit_code,
        replace(replace(replace(max(text) filter (where field = 'indicator'), ' ', ''), '（', '('), '）', ')') as indicator_text,
        max(number) filter (where field = 'value') as value,
        max(state) filter (where field = 'value') as state,
        max(text) filter (where field = 'value_text') as value_text,
        max(coalesce(code, text)) filter (where field = 'unit') as unit,
        max(coalesce(code, text)) filter (where field = 'department') as department,
        max(code) filter (where field = 'is_provisional') as provisional_mark,
        max(coalesce(code, text)) filter (where field = 'area') as area,
        max(text) filter (where field = 'note') as note,
        coalesce(
            max(line_id) filter (where field = 'value'),
            max(line_id) filter (where field = 'value_text'),
            max(line_id)
        ) as line_id
    from validated.department_cell
    where form_code = 'DM-4'
    group by sequence, submission_id, sheet, row_number
),

named as (
    select
        table_row.*,
        coalesce(series.canonical_indicator, table_row.indicator_text) as indicator,
        coalesce(table_row.unit, table_row.head_unit_code) as declared_unit,
        table_row.area is null or city.area is not null as is_city,
        case
            when table_row.period_code like '%-Q%' then 'quarter'
            when table_row.period_code like '%-H%' then 'half_year'
            when table_row.period_code like '%-M01-02' then 'months_1_2'
            when length(table_row.period_code) = 4 then 'year'
            else 'month'
        end as period_kind
    from table_row
    left join reference.department_series as series on series.indicator = table_row.indicator_text
    left join reference.city_names as city on city.area = table_row.area
    where table_row.indicator_text is not null
      and table_row.period_start_date is not null
),

latest as (
    select
        *,
        row_number() over (
            -- 武汉, 全市 and no area at all are one and the same area.
            partition by indicator, case when is_city then '' else area end, period_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from named
)

select
    latest.indicator,
    latest.indicator_text,
    latest.area,
    latest.is_city,
    latest.period_code,
    latest.period_start_date,
    case latest.period_kind
        when 'year' then make_date(year(latest.period_start_date), 12, 31)
        when 'half_year' then cast(latest.period_start_date + interval 6 month - interval 1 day as date)
        when 'quarter' then cast(latest.period_start_date + interval 3 month - interval 1 day as date)
        when 'months_1_2' then cast(latest.period_start_date + interval 2 month - interval 1 day as date)
        else cast(latest.period_start_date + interval 1 month - interval 1 day as date)
    end as period_end_date,
    latest.period_kind,
    cast(latest.value as decimal(24, 6)) as value,
    latest.value_text,
    coalesce(unit.label_zh, latest.declared_unit) as unit,
    unit.unit_multiplier,
    unit.currency_code,
    coalesce(latest.department, latest.filed_by) as department,
    coalesce(latest.provisional_mark, 'false') = 'true' as is_provisional,
    latest.note,
    latest.line_id
from latest
left join reference.units as unit on unit.unit_code = latest.declared_unit or unit.label_zh = latest.declared_unit
where latest.recency = 1
order by latest.indicator, latest.area, latest.period_start_date, latest.period_code
