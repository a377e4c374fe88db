-- table:  core.withheld_count
-- title:  保密未计入的项目 / What enterprises withheld (..) and is therefore in no sum
-- grain:  one row per dimension, code, measure and period in which something was withheld
-- reads:  validated.service_trade_line, core.outsourcing_contract, core.item_ancestor, core.period_coverage, reference.ebops_items, reference.mofcom_categories, reference.partner_group_members
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: dimension | varchar | scope, item, partner, group, district or outsourcing
-- column: code | varchar | total, knowledge_intensive, excluding_travel; main item; partner; group; district (unknown if none); scope_type of outsourcing
-- column: measure | varchar | total, exports, imports, balance; contract or executed
-- column: period | varchar | month, or ytd: January to this month
-- column: enterprise_count | bigint | enterprises that withheld something
-- column: line_count | bigint | lines withheld
-- column: is_all_withheld | boolean | nothing else would count: * is printed in place of a figure
-- method: docs/methods/leaf_lines.md
with line as (
    select
        line.month_start_date,
        line.enterprise_code,
        coalesce(line.district_code, '') as district_code,
        line.flow,
        item.main_item_code,
        line.partner_code,
        line.is_withheld_leaf as is_withheld
    from validated.service_trade_line as line
    left join core.item_ancestor as item on item.item_code = line.item_code and item.distance = 0
    where line.month_start_date >= make_date(year($month_start_date), 1, 1)
      and line.month_start_date <= $month_start_date
      and (line.is_withheld_leaf or (line.amount is not null and not line.is_subtotal and not line.is_covered))
),

main_item as (
    select
        item.item_code,
        item.is_knowledge_intensive,
        category.item_code is not null as is_travel
    from reference.ebops_items as item
    left join reference.mofcom_categories as category
        on category.item_code = item.item_code
        and category.category_en = 'Travel'
    where item.level = 1
),

coded as (
    select 'scope' as dimension, 'total' as code, month_start_date, enterprise_code, flow, is_withheld
    from line
    union all
    select 'scope', 'knowledge_intensive', month_start_date, enterprise_code, flow, is_withheld
    from line
    inner join main_item on main_item.item_code = line.main_item_code
    where main_item.is_knowledge_intensive
    union all
    select 'scope', 'excluding_travel', month_start_date, enterprise_code, flow, is_withheld
    from line
    left join main_item on main_item.item_code = line.main_item_code
    where not coalesce(main_item.is_travel, false)
    union all
    select 'item', main_item_code, month_start_date, enterprise_code, flow, is_withheld
    from line
    where main_item_code is not null
    union all
    select 'partner', partner_code, month_start_date, enterprise_code, flow, is_withheld
    from line
    where partner_code is not null
    union all
    select 'group', member.group_code, line.month_start_date, line.enterprise_code, line.flow, line.is_withheld
    from line
    inner join reference.partner_group_members as member
        on member.partner_code = line.partner_code
        and (member.valid_from is null or member.valid_from <= line.month_start_date)
        and (member.valid_until is null or member.valid_until >= line.month_start_date)
    union all
    select 'district', case when district_code = '' then 'unknown' else district_code end, month_start_date, enterprise_code, flow, is_withheld
    from line
),

contract as (
    select month_start_date, enterprise_code, shore, outsourcing_type, 'contract' as measure, contract_state as state
    from core.outsourcing_contract
    where is_new_contract
    union all
    select month_start_date, enterprise_code, shore, outsourcing_type, 'executed' as measure, executed_state as state
    from core.outsourcing_contract
),

measured as (
    select coded.dimension, coded.code, measure.measure, coded.month_start_date, coded.enterprise_code, coded.flow, coded.is_withheld
    from coded
    inner join (
        select 'total' as measure, 'export' as flow
        union all
        select 'total', 'import'
        union all
        select 'balance', 'export'
        union all
        select 'balance', 'import'
        union all
        select 'exports', 'export'
        union all
        select 'imports', 'import'
    ) as measure on measure.flow = coded.flow
    union all
    select
        'outsourcing',
        scope.scope || '_' || kind.kind,
        contract.measure,
        contract.month_start_date,
        contract.enterprise_code,
        '' as flow,
        contract.state = 'withheld' as is_withheld
    from contract
    inner join (
        select 'all' as scope
        union all
        select 'offshore'
        union all
        select 'onshore'
    ) as scope on scope.scope in ('all', contract.shore)
    inner join (
        select 'all' as kind
        union all
        select 'ITO'
        union all
        select 'BPO'
        union all
        select 'KPO'
    ) as kind on kind.kind in ('all', contract.outsourcing_type)
    where contract.state in ('value', 'zero', 'withheld')
      and contract.month_start_date >= make_date(year($month_start_date), 1, 1)
      and contract.month_start_date <= $month_start_date
),

by_flow as (
    select
        measured.dimension,
        measured.code,
        measured.measure,
        coverage.period,
        coverage.is_complete,
        measured.flow,
        count(*) filter (where measured.is_withheld) as withheld_count,
        count(*) filter (where not measured.is_withheld) as counted_count
    from measured
    inner join core.period_coverage as coverage
        on coverage.source = 'direct_report'
        and measured.month_start_date >= coverage.first_month_start_date
    where coverage.month_start_date = $month_start_date
    group by measured.dimension, measured.code, measured.measure, coverage.period, coverage.is_complete, measured.flow
),

enterprise as (
    select
        measured.dimension,
        measured.code,
        measured.measure,
        coverage.period,
        count(distinct measured.enterprise_code) as enterprise_count
    from measured
    inner join core.period_coverage as coverage
        on coverage.source = 'direct_report'
        and measured.month_start_date >= coverage.first_month_start_date
    where coverage.month_start_date = $month_start_date
      and measured.is_withheld
    group by measured.dimension, measured.code, measured.measure, coverage.period
),

summed as (
    select
        dimension,
        code,
        measure,
        period,
        is_complete,
        sum(withheld_count) as line_count,
        sum(counted_count) as counted_count,
        -- A balance needs both flows: one that is all withheld hides it.
        max(case when withheld_count > 0 and counted_count = 0 then 1 else 0 end) = 1 as has_hidden_flow
    from by_flow
    group by dimension, code, measure, period, is_complete
    having sum(withheld_count) > 0
)

select
    $month_start_date as month_start_date,
    summed.dimension,
    summed.code,
    summed.measure,
    summed.period,
    enterprise.enterprise_count,
    cast(summed.line_count as bigint) as line_count,
    summed.is_complete and (summed.counted_count = 0 or (summed.measure = 'balance' and summed.has_hidden_flow)) as is_all_withheld
from summed
inner join enterprise
    on enterprise.dimension = summed.dimension
    and enterprise.code = summed.code
    and enterprise.measure = summed.measure
    and enterprise.period = summed.period
order by summed.dimension, summed.code, summed.measure, summed.period
