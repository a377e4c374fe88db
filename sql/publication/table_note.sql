-- table:  publication.table_note
-- title:  各表随月注释 / Notes of the tables that depend on the month's figures
-- grain:  one row per table and note
-- reads:  publication.table_01, publication.table_02, publication.table_04, indicators.trade_total, indicators.share_of_foreign_trade, indicators.reporting, indicators.mode_basis, core.exchange_rate, reference.mode_profiles, core.withheld_count
-- param:  month_start_date | date
-- param:  mode_profile | varchar
-- column: month_start_date | date | first day of the reference month
-- column: table_name | varchar | table_01 to table_09
-- column: note_number | integer | order among the notes of the table
-- column: note_code | varchar | balance, share, rate, growth_blank, rounding, profile, basis, coverage, withheld
-- column: text_zh | varchar | the note
-- column: text_en | varchar | the same in English
-- method: docs/tables.md
with words as (
    select
        case
            when month(cast($month_start_date as date)) = 1 then '1月'
            else '1—' || cast(month(cast($month_start_date as date)) as varchar) || '月'
        end as ytd_zh,
        case
            when month(cast($month_start_date as date)) = 1 then 'Jan'
            else 'Jan–' || substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * month(cast($month_start_date as date)) - 2, 3)
        end as ytd_en
),
-- In a sentence a deficit is printed positive (逆差 12.30); the column 差额 keeps its sign.
balance as (
    select
        max(case when column_code = 'ytd_usd' then value end) as usd,
        max(case when column_code = 'ytd_cny' then value end) as cny
    from publication.table_01
    where month_start_date = $month_start_date
      and row_code = 'balance'
),
share as (
    select
        source,
        cast(round(cast(share_pct as decimal(38, 12)), 1) as decimal(20, 1)) as share_pct,
        cast(round(cast(change_pp as decimal(38, 12)), 1) as decimal(20, 1)) as change_pp,
        cast(round(cast(services_to_goods_pct as decimal(38, 12)), 1) as decimal(20, 1)) as services_to_goods_pct
    from indicators.share_of_foreign_trade
    where month_start_date = $month_start_date
      and is_headline
      and period = 'ytd'
      and currency_code = 'USD'
      and share_pct is not null
),
rate as (
    select cast(round(cny_per_unit, 4) as decimal(18, 4)) as cny_per_usd
    from core.exchange_rate
    where month_start_date = $month_start_date
      and currency_code = 'USD'
),
-- Why growth is blank, for the headline: one reason a period, the same for the total in both currencies.
growth_blank as (
    select
        max(case when period = 'month' then growth_blank_reason end) as month_reason,
        max(case when period = 'ytd' then growth_blank_reason end) as ytd_reason
    from indicators.trade_total
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and scope = 'all'
      and measure = 'total'
      and currency_code = 'USD'
),
printed_part as (
    select 'table_02' as table_name, column_code, row_code, row_number, indent, value, symbol
    from publication.table_02
    where month_start_date = $month_start_date
      and column_code like '%_usd'
    union all
    select 'table_04', column_code, row_code, row_number, indent, value, symbol
    from publication.table_04
    where month_start_date = $month_start_date
      and column_code like '%_usd'
),
-- Rounded parts against the rounded total; columns that lack a part are not judged.
rounding as (
    select
        table_name,
        max(case when parts <> whole then 1 else 0 end) as differs
    from (
        select
            table_name,
            column_code,
            sum(case when indent = 1 then value end) as parts,
            max(case when row_code = 'total' then value end) as whole
        from printed_part
        group by table_name, column_code
    ) as by_column
    group by table_name
),
basis as (
    select
        -- No line on a basis is nothing on it: the note says 0.0 and does not vanish.
        cast(round(cast(coalesce(sum(share_pct) filter (where alloc_basis = 'declared'), 0) as decimal(38, 12)), 1) as decimal(20, 1)) as declared_pct,
        cast(round(cast(coalesce(sum(share_pct) filter (where alloc_basis = 'local'), 0) as decimal(38, 12)), 1) as decimal(20, 1)) as local_pct,
        cast(round(cast(coalesce(sum(share_pct) filter (where alloc_basis not in ('declared', 'local')), 0) as decimal(38, 12)), 1) as decimal(20, 1)) as other_pct,
        count(share_pct) as known_count
    from indicators.mode_basis
    where month_start_date = $month_start_date
      and source = 'direct_report'
      and profile = $mode_profile
      and measure = 'total'
      and period = 'ytd'
      and currency_code = 'USD'
),
coverage as (
    select
        expected_count,
        filed_count,
        cast(round(cast(response_rate_pct as decimal(38, 12)), 1) as decimal(20, 1)) as response_rate_pct,
        cast(round(cast(coverage_pct as decimal(38, 12)), 1) as decimal(20, 1)) as coverage_pct
    from indicators.reporting
    where month_start_date = $month_start_date
      and district_code = 'all'
),
withheld as (
    select
        dimension,
        max(enterprise_count) as enterprise_count,
        max(line_count) as line_count
    from core.withheld_count
    where month_start_date = $month_start_date
      and period = 'ytd'
      and ((dimension = 'scope' and code = 'total' and measure = 'total') or (dimension = 'outsourcing' and code = 'all_all'))
    group by dimension
),
note as (
    select
        'table_01' as table_name,
        1 as note_number,
        'balance' as note_code,
        words.ytd_zh || '服务进出口'
            || case when balance.usd < 0 then '逆差' when balance.usd > 0 then '顺差' else '收支相抵' end
            || case when balance.usd <> 0 then cast(cast(abs(balance.usd) as decimal(20, 2)) as varchar) || '亿美元' else '' end
            || case
                when balance.usd <> 0 and balance.cny is not null
                    -- months of deficit and surplus at different rates may turn the sign in the other currency
                    then '（' || case when balance.cny * balance.usd < 0 then case when balance.cny < 0 then '按人民币计逆差' else '按人民币计顺差' end else '' end
                        || cast(cast(abs(balance.cny) as decimal(20, 2)) as varchar) || '亿元人民币）'
                else ''
            end
            || '。' as text_zh,
        words.ytd_en || ': services '
            || case when balance.usd < 0 then 'deficit of ' when balance.usd > 0 then 'surplus of ' else 'in balance' end
            || case when balance.usd <> 0 then 'USD ' || cast(cast(abs(balance.usd) * 100 as decimal(20, 0)) as varchar) || ' million' else '' end
            || case
                when balance.usd <> 0 and balance.cny is not null
                    then ' (' || case when balance.cny * balance.usd < 0 then case when balance.cny < 0 then 'a deficit of ' else 'a surplus of ' end else '' end
                        || 'CNY ' || cast(cast(abs(balance.cny) * 100 as decimal(20, 0)) as varchar) || ' million)'
                else ''
            end
            || '.' as text_en
    from balance
    cross join words
    where balance.usd is not null
    union all
    select
        'table_01',
        2,
        'share',
        words.ytd_zh || '服务贸易占对外贸易（服务贸易+货物贸易）比重为' || cast(share.share_pct as varchar) || '%'
            || case
                when share.change_pp > 0 then '，比上年同期提高' || cast(share.change_pp as varchar) || '个百分点'
                when share.change_pp < 0 then '，比上年同期下降' || cast(abs(share.change_pp) as varchar) || '个百分点'
                when share.change_pp = 0 then '，与上年同期持平'
                else ''
            end
            || '（服务贸易按' || case share.source when 'safe' then '外汇收支' else '企业直报' end || '口径；相当于货物贸易的'
            || cast(share.services_to_goods_pct as varchar) || '%）。',
        words.ytd_en || ': share of services in foreign trade (services + goods) ' || cast(share.share_pct as varchar) || '%'
            || case
                when share.change_pp > 0 then ', up ' || cast(share.change_pp as varchar) || ' percentage points on a year earlier'
                when share.change_pp < 0 then ', down ' || cast(abs(share.change_pp) as varchar) || ' percentage points on a year earlier'
                when share.change_pp = 0 then ', unchanged on a year earlier'
                else ''
            end
            || ' (services from ' || case share.source when 'safe' then 'foreign exchange data' else 'direct reports' end || '; equal to '
            || cast(share.services_to_goods_pct as varchar) || '% of goods trade).'
    from share
    cross join words
    union all
    select
        'table_01',
        3,
        'rate',
        '本月人民币对美元月平均中间价为1美元=' || cast(rate.cny_per_usd as varchar) || '元。',
        'Monthly average central parity: USD 1 = CNY ' || cast(rate.cny_per_usd as varchar) || '.'
    from rate
    union all
    select
        'table_01',
        4,
        'coverage',
        '本月应报企业' || cast(coverage.expected_count as varchar) || '家，已报' || cast(coverage.filed_count as varchar) || '家，报送率'
            || cast(coverage.response_rate_pct as varchar) || '%'
            || case when coverage.coverage_pct is not null then '；直报数相当于外汇收支口径服务进出口的' || cast(coverage.coverage_pct as varchar) || '%' else '' end
            || '。未报企业未作推算。',
        cast(coverage.filed_count as varchar) || ' of ' || cast(coverage.expected_count as varchar) || ' enterprises have filed ('
            || cast(coverage.response_rate_pct as varchar) || '%)'
            || case when coverage.coverage_pct is not null then '; direct reports equal ' || cast(coverage.coverage_pct as varchar) || '% of services trade in foreign exchange data' else '' end
            || '. Nothing is imputed for those that have not.'
    from coverage
    where coverage.response_rate_pct is not null
    union all
    select
        printed_table.table_name,
        5,
        'growth_blank',
        case
            when growth_blank.ytd_reason = 'no_base' then '无上年同期数，同比空缺。'
            when growth_blank.ytd_reason = 'months_missing' then '本年或上年有月份缺数，累计或累计同比空缺。'
            when growth_blank.month_reason = 'months_1_2' then '1—2月合并计算，不单独计算' || cast(month(cast($month_start_date as date)) as varchar) || '月同比。'
            else '本期或上年同期有月份缺数，同比空缺。'
        end,
        case
            when growth_blank.ytd_reason = 'no_base' then 'There are no figures for the year before, so growth is blank.'
            when growth_blank.ytd_reason = 'months_missing' then 'Some months of this year or the last are missing, so cumulative figures or their growth are blank.'
            when growth_blank.month_reason = 'months_1_2' then 'January and February are taken as one period; there is no growth rate for either month alone.'
            else 'Some months of this year or the last are missing, so growth is blank.'
        end
    from growth_blank
    cross join (
        select 'table_01' as table_name
        union all
        select 'table_02'
        union all
        select 'table_03'
        union all
        select 'table_04'
        union all
        select 'table_07'
    ) as printed_table
    where growth_blank.ytd_reason in ('no_base', 'months_missing', 'months_1_2')
       or growth_blank.month_reason in ('no_base', 'months_missing', 'months_1_2')
    union all
    select
        table_name,
        6,
        'rounding',
        '由于单位取舍不同，部分合计数与分项之和略有出入，未作机械调整。',
        'Totals may differ from the sum of their parts because each figure is rounded on its own.'
    from rounding
    where differs = 1
    union all
    select
        printed_table.table_name,
        7,
        'withheld',
        words.ytd_zh || '另有' || cast(withheld.enterprise_count as varchar) || '家企业（' || cast(withheld.line_count as varchar) || '项）保密未计入。',
        words.ytd_en || ': not included, withheld by ' || cast(withheld.enterprise_count as varchar)
            || case when withheld.enterprise_count = 1 then ' enterprise (' else ' enterprises (' end
            || cast(withheld.line_count as varchar) || case when withheld.line_count = 1 then ' item).' else ' items).' end
    from withheld
    cross join words
    inner join (
        select 'table_01' as table_name, 'scope' as dimension
        union all
        select 'table_02', 'scope'
        union all
        select 'table_03', 'scope'
        union all
        select 'table_04', 'scope'
        union all
        select 'table_05', 'outsourcing'
    ) as printed_table on printed_table.dimension = withheld.dimension
    union all
    select
        'table_07',
        1,
        'profile',
        '分摊方案：' || name_zh || '（' || profile || '，版本：' || vintage || '）。',
        'Allocation profile: ' || name_en || ' (' || profile || ', vintage ' || vintage || ').'
    from reference.mode_profiles
    where profile = $mode_profile
    union all
    select
        'table_07',
        2,
        'basis',
        words.ytd_zh || '进出口额中，' || cast(basis.declared_pct as varchar) || '%按企业填报的占比分摊，'
            || case when basis.local_pct > 0 then cast(basis.local_pct as varchar) || '%按本市调查分摊，' else '' end
            || cast(basis.other_pct as varchar) || '%按方案比例分摊。',
        words.ytd_en || ': ' || cast(basis.declared_pct as varchar) || '% of total trade is split by shares that enterprises stated, '
            || case when basis.local_pct > 0 then cast(basis.local_pct as varchar) || '% by a survey of the city, ' else '' end
            || cast(basis.other_pct as varchar) || '% by shares of the profile.'
    from basis
    cross join words
    where basis.known_count > 0
)
select
    cast($month_start_date as date) as month_start_date,
    table_name,
    cast(note_number as integer) as note_number,
    note_code,
    text_zh,
    text_en
from note
order by table_name, note_number
