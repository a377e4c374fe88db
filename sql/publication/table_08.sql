-- table:  publication.table_08
-- title:  表8 服务贸易发展目标进度 / Table 8 Progress towards the targets for trade in services
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.target_progress, reference.english_labels
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | headline_T004 for the headline targets, target_T030 ..., area_1 ... for headings
-- column: label_zh | varchar | printed label of the row
-- column: label_en | varchar | the same in English
-- column: indent | integer | depth of the row below its heading
-- column: column_code | varchar | column in pipelines/publication/tables.yaml; heading for a row without figures
-- column: value | decimal(24,6) | figure in the unit of the row, rounded here and nowhere else; empty if there is none
-- column: text_zh | varchar | words printed in place of the figure
-- column: text_en | varchar | the same in English
-- column: symbol | varchar | mark printed in place of a figure: — not applicable, … below half a unit, * withheld, blank not reported
-- column: status | varchar | preliminary or final; empty where there is no figure
-- method: docs/tables.md
with progress as (
    select *
    from indicators.target_progress
    where month_start_date = $month_start_date
),
-- The headline targets are the level and the share of the plan's overall targets that fall due next; after the last, the last.
headline_year as (
    select
        coalesce(
            min(case when target_year >= year(cast($month_start_date as date)) then target_year end),
            max(target_year)
        ) as target_year
    from progress
    where area = '总体目标'
      and measure_kind in ('level', 'share')
),
chosen as (
    select
        progress.*,
        headline_year.target_year is not null as is_headline,
        case when progress.target_value = floor(progress.target_value) then cast(cast(progress.target_value as decimal(18, 0)) as varchar) else cast(cast(round(progress.target_value, 2) as decimal(18, 2)) as varchar) end as target_words,
        case when progress.target_value_high = floor(progress.target_value_high) then cast(cast(progress.target_value_high as decimal(18, 0)) as varchar) else cast(cast(round(progress.target_value_high, 2) as decimal(18, 2)) as varchar) end as target_high_words
    from progress
    left join headline_year
        on headline_year.target_year = progress.target_year
        and progress.area = '总体目标'
        and progress.measure_kind in ('level', 'share')
    where headline_year.target_year is not null
       or progress.value is not null
       or progress.value_text is not null
),
area_place as (
    select area, dense_rank() over (order by min(target_id)) as place
    from progress
    group by area
),
numbered as (
    select
        chosen.*,
        area_place.place as area_place,
        row_number() over (partition by chosen.is_headline, chosen.area order by chosen.target_year desc, chosen.target_id) as place
    from chosen
    inner join area_place on area_place.area = chosen.area
),
printed as (
    select
        case when numbered.is_headline then numbered.place else 100 * numbered.area_place + numbered.place end as row_number,
        case when numbered.is_headline then 'headline_' else 'target_' end || numbered.target_id as row_code,
        numbered.indicator as label_zh,
        coalesce(label.text_en, numbered.indicator) as label_en,
        case when numbered.is_headline then 0 else 1 end as indent,
        cast(numbered.target_year as varchar) as target_year_words,
        case
            when numbered.comparator = 'qual' then '定性'
            when numbered.is_lower_better and numbered.comparator = 'about' then '≤' || numbered.target_words || '左右'
            when numbered.is_lower_better then '≤' || numbered.target_words
            when numbered.comparator = '>' then '＞' || numbered.target_words
            when numbered.comparator in ('>=', 'reach') then '≥' || numbered.target_words
            when numbered.comparator = 'range' then numbered.target_words || '—' || numbered.target_high_words
            when numbered.comparator = 'about' then '约' || numbered.target_words
            else numbered.comparator || numbered.target_words
        end as target_zh,
        case
            when numbered.comparator = 'qual' then 'qualitative'
            when numbered.is_lower_better and numbered.comparator = 'about' then '≤ about ' || numbered.target_words
            when numbered.is_lower_better then '≤' || numbered.target_words
            when numbered.comparator = '>' then '>' || numbered.target_words
            when numbered.comparator in ('>=', 'reach') then '≥' || numbered.target_words
            when numbered.comparator = 'range' then numbered.target_words || '–' || numbered.target_high_words
            when numbered.comparator = 'about' then 'about ' || numbered.target_words
            else numbered.comparator || numbered.target_words
        end as target_en,
        numbered.unit as unit_zh,
        coalesce(unit_label.text_en, numbered.unit) as unit_en,
        numbered.value,
        numbered.value_text,
        coalesce(value_label.text_en, numbered.value_text) as value_text_en,
        numbered.measured_start_date,
        numbered.measured_end_date,
        numbered.achieved_pct,
        numbered.gap,
        numbered.comparator,
        numbered.measured_source,
        numbered.department,
        coalesce(department_label.text_en, numbered.department) as department_en,
        numbered.status as progress_status,
        case when numbered.value is null then null when numbered.is_provisional then 'preliminary' else 'final' end as status_of_figure
    from numbered
    left join reference.english_labels as label on label.text_zh = numbered.indicator
    left join reference.english_labels as unit_label on unit_label.text_zh = numbered.unit
    left join reference.english_labels as department_label on department_label.text_zh = numbered.department
    left join reference.english_labels as value_label on value_label.text_zh = numbered.value_text
),
cells as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'target_year' as column_code,
        cast(null as decimal(24, 6)) as value,
        target_year_words as text_zh,
        target_year_words as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'target_text' as column_code,
        cast(null as decimal(24, 6)) as value,
        target_zh as text_zh,
        target_en as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'unit' as column_code,
        cast(null as decimal(24, 6)) as value,
        nullif(unit_zh, '') as text_zh,
        nullif(unit_en, '') as text_en,
        '—' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'value' as column_code,
        case when comparator <> 'qual' then cast(round(value, 2) as decimal(24, 6)) end as value,
        case when comparator = 'qual' then nullif(value_text, '') end as text_zh,
        case when comparator = 'qual' then nullif(value_text_en, '') end as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'value_period' as column_code,
        cast(null as decimal(24, 6)) as value,
        case
            when measured_start_date is null then null
            when year(measured_start_date) = year(measured_end_date) and month(measured_start_date) = 1 and month(measured_end_date) = 12
                then cast(year(measured_start_date) as varchar) || '年'
            when year(measured_start_date) = year(measured_end_date) and month(measured_start_date) = month(measured_end_date)
                then cast(year(measured_start_date) as varchar) || '年' || cast(month(measured_start_date) as varchar) || '月'
            when year(measured_start_date) = year(measured_end_date)
                then cast(year(measured_start_date) as varchar) || '年' || cast(month(measured_start_date) as varchar) || '—' || cast(month(measured_end_date) as varchar) || '月'
            else cast(year(measured_start_date) as varchar) || '—' || cast(year(measured_end_date) as varchar) || '年'
        end as text_zh,
        case
            when measured_start_date is null then null
            when year(measured_start_date) = year(measured_end_date) and month(measured_start_date) = 1 and month(measured_end_date) = 12
                then cast(year(measured_start_date) as varchar)
            when year(measured_start_date) = year(measured_end_date) and month(measured_start_date) = month(measured_end_date)
                then substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * month(measured_start_date) - 2, 3) || ' ' || cast(year(measured_start_date) as varchar)
            when year(measured_start_date) <> year(measured_end_date)
                then cast(year(measured_start_date) as varchar) || '–' || cast(year(measured_end_date) as varchar)
            else substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * month(measured_start_date) - 2, 3) || '–' || substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * month(measured_end_date) - 2, 3) || ' ' || cast(year(measured_start_date) as varchar)
        end as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'achieved_pct' as column_code,
        cast(round(cast(achieved_pct as decimal(38, 12)), 1) as decimal(24, 6)) as value,
        cast(null as varchar) as text_zh,
        cast(null as varchar) as text_en,
        case when value is null and comparator <> 'qual' then '' else '—' end as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'gap' as column_code,
        cast(round(gap, 2) as decimal(24, 6)) as value,
        cast(null as varchar) as text_zh,
        cast(null as varchar) as text_en,
        case when value is null and comparator <> 'qual' then '' else '—' end as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'status' as column_code,
        cast(null as decimal(24, 6)) as value,
        case progress_status
            when 'met' then '已达到'
            when 'met_early' then '提前达到'
            when 'not_met' then '未达到'
            when 'on_the_way' then '推进中'
            when 'no_data' then '暂无数据'
            when 'not_started' then '未开始'
        end as text_zh,
        case progress_status
            when 'met' then 'met'
            when 'met_early' then 'met early'
            when 'not_met' then 'not met'
            when 'on_the_way' then 'on the way'
            when 'no_data' then 'no data'
            when 'not_started' then 'not started'
        end as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'data_source' as column_code,
        cast(null as decimal(24, 6)) as value,
        case measured_source when 'direct_report' then '企业直报' when 'safe' then '外汇收支' when 'department' then coalesce(nullif(department, ''), '部门数据（未写明部门）') else nullif(department, '') end as text_zh,
        case measured_source when 'direct_report' then 'direct reports' when 'safe' then 'SAFE' when 'department' then coalesce(nullif(department_en, ''), 'department (not named)') else nullif(department_en, '') end as text_en,
        '' as blank_symbol,
        status_of_figure as status
    from printed
    union all
    select distinct
        100 * numbered.area_place,
        'area_' || cast(numbered.area_place as varchar),
        numbered.area,
        coalesce(label.text_en, numbered.area),
        0,
        'heading',
        cast(null as decimal(24, 6)),
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar)
    from numbered
    left join reference.english_labels as label on label.text_zh = numbered.area
    where not numbered.is_headline
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
    text_zh,
    text_en,
    case when value is null and text_zh is null then blank_symbol end as symbol,
    status
from cells
order by row_number, column_code
