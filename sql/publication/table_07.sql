-- table:  publication.table_07
-- title:  表7 服务进出口按提供模式分组情况（测算） / Table 7 Trade in services by mode of supply (estimates)
-- grain:  one row per printed cell: row_number and column_code
-- reads:  indicators.trade_by_mode, indicators.trade_total, indicators.mode_basis, indicators.commercial_presence, reference.mode_profiles
-- param:  month_start_date | date
-- param:  mode_profile | varchar
-- column: month_start_date | date | first day of the reference month
-- column: row_number | integer | order of the row in the printed table, ascending; numbers may leave gaps
-- column: row_code | varchar | total, mode_1 ..., basis_declared ..., wto_2020s_mode_1 ..., commercial_presence_2019 ... (department), commercial_presence_direct_2019 ... (direct reports)
-- column: label_zh | varchar | printed label of the row
-- column: label_en | varchar | the same in English
-- column: indent | integer | depth of the row below its heading
-- column: column_code | varchar | column in pipelines/publication/tables.yaml; heading for a row without figures
-- column: value | decimal(24,6) | figure in the unit of the column, rounded here and nowhere else (modes by largest remainder); empty if there is none
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
mode_label as (
    select '1' as mode, 1 as place, 'mode_1' as row_code, '跨境提供（模式1）' as label_zh, 'Cross-border supply (mode 1)' as label_en
    union all
    select '2', 2, 'mode_2', '境外消费（模式2）', 'Consumption abroad (mode 2)'
    union all
    select '4', 3, 'mode_4', '自然人移动（模式4）', 'Presence of natural persons (mode 4)'
    union all
    select '3_in_bop', 4, 'mode_3_in_bop', '建筑服务中属商业存在部分', 'Construction through commercial presence'
    union all
    select 'goods', 5, 'goods', '旅行支出中的货物', 'Goods within travel'
    union all
    select 'out_of_scope', 6, 'out_of_scope', '政府服务（不分模式）', 'Government services (no mode)'
),
basis_label as (
    select 'declared' as alloc_basis, 1 as place, '企业填报的远程提供占比' as label_zh, 'Remote share stated by the enterprise' as label_en
    union all
    select 'local', 2, '本地调查比例', 'Local survey shares'
    union all
    select 'profile', 3, '分摊方案的细项比例', 'Profile, share of the detailed item'
    union all
    select 'fallback', 4, '分摊方案的大类比例', 'Profile, share of the main item'
),
-- The bureau's own profile stands first, the others after the lines on what the split rests on.
profile_block as (
    select
        profile,
        case when profile = $mode_profile then 100 else 300 + 100 * display_order end as first_row_number,
        case when profile = $mode_profile then '' else profile || '_' end as row_prefix,
        name_zh || '（' || profile || '，' || vintage || '）' as words_zh,
        name_en || ' (' || profile || ', ' || vintage || ')' as words_en
    from reference.mode_profiles
),
-- Largest remainder: every mode is cut to hundredths of 亿美元; the hundredths that the total has more go to the largest cuts.
by_mode as (
    select
        profile,
        mode,
        measure,
        period,
        cast(cast(amount as decimal(24, 4)) * 0.00000001 as decimal(30, 12)) as number,
        growth_pct,
        growth_blank_reason,
        share_pct,
        status
    from indicators.trade_by_mode
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and currency_code = 'USD'
      and measure <> 'balance'
),
cut as (
    select
        profile,
        mode,
        measure,
        period,
        floor(number * 100) as hundredths,
        round(sum(number) over (partition by profile, measure, period) * 100, 0)
            - sum(floor(number * 100)) over (partition by profile, measure, period) as hundredths_left,
        row_number() over (
            partition by profile, measure, period
            order by number * 100 - floor(number * 100) desc, mode
        ) as place
    from by_mode
    where number is not null
),
presence_year as (
    select distinct
        year as reference_year,
        source,
        case source when 'department' then 'commercial_presence_' else 'commercial_presence_direct_' end as row_prefix,
        case source when 'department' then '' else '企业直报，' end as words_zh,
        case source when 'department' then '' else 'direct reports, ' end as words_en,
        case source when 'department' then 900 else 950 end as first_row_number
    from indicators.commercial_presence
    where month_start_date = $month_start_date
      and source in ('department', 'direct_report')
),
printed as (
    select
        101 as row_number,
        'total' as row_code,
        '服务进出口（国际收支口径）' as label_zh,
        'Trade in services (balance of payments)' as label_en,
        0 as indent,
        measure_period.measure,
        measure_period.period,
        cast(cast(whole.amount as decimal(24, 4)) * 0.00000001 as decimal(30, 12)) as number,
        cast(round(cast(whole.amount as decimal(24, 4)) * 0.00000001, 2) as decimal(24, 6)) as rounded_number,
        'not_reported' as number_blank_reason,
        whole.growth_pct,
        whole.growth_blank_reason,
        case when whole.amount > 0 then cast(100 as double) end as share_pct,
        whole.status
    from measure_period
    left join indicators.trade_total as whole
        on whole.month_start_date = $month_start_date
        and whole.source = 'direct_report'
        and whole.scope = 'all'
        and whole.currency_code = 'USD'
        and whole.measure = measure_period.measure
        and whole.period = measure_period.period
    union all
    select
        profile_block.first_row_number + 1 + mode_label.place,
        profile_block.row_prefix || mode_label.row_code,
        mode_label.label_zh,
        mode_label.label_en,
        1,
        measure_period.measure,
        measure_period.period,
        by_mode.number,
        cast((cut.hundredths + case when cut.place <= cut.hundredths_left then 1 else 0 end) * 0.01 as decimal(24, 6)),
        'not_reported',
        by_mode.growth_pct,
        by_mode.growth_blank_reason,
        by_mode.share_pct,
        by_mode.status
    from profile_block
    cross join mode_label
    cross join measure_period
    left join by_mode
        on by_mode.profile = profile_block.profile
        and by_mode.mode = mode_label.mode
        and by_mode.measure = measure_period.measure
        and by_mode.period = measure_period.period
    left join cut
        on cut.profile = by_mode.profile
        and cut.mode = by_mode.mode
        and cut.measure = by_mode.measure
        and cut.period = by_mode.period
    -- What is no mode of supply is the same under every profile but for rounding; it is shown once.
    where profile_block.profile = $mode_profile
       or mode_label.place <= 3
    union all
    select
        200 + basis_label.place,
        'basis_' || basis_label.alloc_basis,
        basis_label.label_zh,
        basis_label.label_en,
        1,
        measure_period.measure,
        measure_period.period,
        cast(cast(basis.amount as decimal(24, 4)) * 0.00000001 as decimal(30, 12)),
        cast(round(cast(basis.amount as decimal(24, 4)) * 0.00000001, 2) as decimal(24, 6)),
        'not_applicable',
        cast(null as double),
        'not_applicable',
        basis.share_pct,
        basis.status
    from basis_label
    cross join measure_period
    left join indicators.mode_basis as basis
        on basis.month_start_date = $month_start_date
        and basis.source = 'direct_report'
        and basis.currency_code = 'USD'
        and basis.profile = $mode_profile
        and basis.alloc_basis = basis_label.alloc_basis
        and basis.measure = measure_period.measure
        and basis.period = measure_period.period
    union all
    -- Commercial presence: sales of affiliates in a year, outward under exports, inward under imports. It has no month,
    -- no share of anything here, and outward and inward are not added.
    select
        presence_year.first_row_number + presence_year.reference_year - 1999,
        presence_year.row_prefix || cast(presence_year.reference_year as varchar),
        '商业存在（模式3），' || presence_year.words_zh || cast(presence_year.reference_year as varchar) || '年全年',
        'Commercial presence (mode 3), ' || presence_year.words_en || 'whole year ' || cast(presence_year.reference_year as varchar),
        1,
        measure_period.measure,
        measure_period.period,
        cast(cast(presence.amount_usd as decimal(24, 4)) * 0.00000001 as decimal(30, 12)),
        cast(round(cast(presence.amount_usd as decimal(24, 4)) * 0.00000001, 2) as decimal(24, 6)),
        case when measure_period.period = 'month' or measure_period.measure = 'total' then 'not_applicable' else 'not_reported' end,
        presence.growth_pct,
        case when measure_period.measure = 'total' then 'not_applicable' else 'not_reported' end,
        cast(null as double),
        case when presence.amount_usd is not null then 'final' end
    from presence_year
    cross join measure_period
    left join indicators.commercial_presence as presence
        on presence.month_start_date = $month_start_date
        and presence.source = presence_year.source
        and presence.year = presence_year.reference_year
        and presence.flow = case measure_period.measure when 'exports' then 'export' when 'imports' then 'import' end
        and measure_period.period = 'ytd'
),
cells as (
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        period || '_' || measure || '_usd' as column_code,
        'amount' as kind,
        number,
        rounded_number,
        number_blank_reason as blank_reason,
        status
    from printed
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'ytd_' || measure || '_growth_pct',
        'growth',
        cast(growth_pct as decimal(30, 12)),
        cast(round(cast(growth_pct as decimal(30, 12)), 1) as decimal(24, 6)),
        growth_blank_reason,
        status
    from printed
    where period = 'ytd'
    union all
    select
        row_number,
        row_code,
        label_zh,
        label_en,
        indent,
        'ytd_' || measure || '_share_pct',
        'share',
        cast(share_pct as decimal(30, 12)),
        cast(round(cast(share_pct as decimal(30, 12)), 1) as decimal(24, 6)),
        case when number is null then number_blank_reason else 'not_applicable' end,
        status
    from printed
    where period = 'ytd'
),
heading as (
    select
        first_row_number as row_number,
        row_prefix || 'profile' as row_code,
        case when profile = $mode_profile then '本表分摊方案：' else '敏感性分析，改用：' end || words_zh as label_zh,
        case when profile = $mode_profile then 'Profile of this table: ' else 'Sensitivity, under: ' end || words_en as label_en
    from profile_block
    union all
    select 200, 'basis', '测算依据', 'What the split rests on'
    union all
    select
        900,
        'commercial_presence',
        '商业存在（附属机构服务贸易，年度数，列示于旁，不计入以上各数；出口列为外向，进口列为内向）',
        'Commercial presence (foreign affiliates, annual, beside and not within the above; outward under exports, inward under imports)'
    where exists (select 1 from presence_year)
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
from cells
union all
select
    cast($month_start_date as date),
    cast(row_number as integer),
    row_code,
    label_zh,
    label_en,
    cast(0 as integer),
    'heading',
    cast(null as decimal(24, 6)),
    cast(null as varchar),
    cast(null as varchar),
    cast(null as varchar),
    cast(null as varchar)
from heading
order by row_number, column_code
