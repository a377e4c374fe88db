-- table:  checks.return_flow
-- title:  每份直报表的出口与进口 / Exports and imports of each return
-- grain:  one row per current return and flow with an amount on FM-2
-- reads:  raw.submission, raw.service_trade_line, raw.service_trade_total, raw.enterprise_profile, core.exchange_rate, core.item_ancestor, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2
-- column: sheet | varchar | sheet as named in the file
-- column: revenue_form_code | varchar | FM-1 where this return holds it, else FM-2
-- column: revenue_sheet | varchar | sheet of revenue_cell
-- column: revenue_cell | varchar | cell of the revenue where this return holds it; else of the printed total since January, or the first row's
-- column: unspecified_cell | varchar | partner's cell of the largest row without a named partner
-- column: business_key | varchar | enterprise/flow
-- column: subject_zh | varchar | flow
-- column: subject_en | varchar | flow
-- column: remark | varchar | 说明 of the largest row without a named partner
-- column: flow_usd | double | this month, US dollars
-- column: unspecified_share_pct | double | share of rows whose partner is not named (blank, 其他, 世界), per cent
-- column: export_ytd_usd | double | exports January to this month, US dollars; empty for imports
-- column: revenue_usd | double | revenue of last year from the latest FM-1, US dollars at this month's rate
-- column: export_share_of_revenue_pct | double | exports since January over revenue of last year, per cent
-- column: whole_revenue_count | bigint | how many times last year's revenue the exports since January hold, in whole: an explanation covers no further one
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code
    from raw.submission
    where kind = 'return'
      and is_current
      and month_start_date = $month_start_date
),
dollar as (
    select
        currency_code,
        cast(usd_per_unit as double) as usd_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
),
line as (
    select
        l.*,
        cast(l.unit_multiplier as double)
            * case when l.currency_code = 'USD' then 1.0 else r.usd_per_unit end as usd_per_declared_unit,
        l.partner_code is null or coalesce(p.partner_kind, '') in ('not_specified', 'world') as is_unspecified
    from raw.service_trade_line as l
    inner join filed as f on f.submission_id = l.submission_id
    left join dollar as r on r.currency_code = l.currency_code
    left join reference.partners as p on p.partner_code = l.partner_code
    where l.month_start_date = $month_start_date
      and (l.amount_state is not null or l.ytd_state is not null)
),
-- What a row says of one measure. A blank says nothing, and — (not applicable) contributes nothing: neither makes
-- an item above of its row, nor one below.
reported as (
    select
        submission_id, sheet, row_number, flow, item_code, coalesce(partner_code, '') as partner_key,
        'month' as measure, amount as figure, unit_multiplier
    from line
    where amount_state in ('value', 'zero', 'withheld', 'invalid')
    union all
    select
        submission_id, sheet, row_number, flow, item_code, coalesce(partner_code, '') as partner_key,
        'ytd' as measure, ytd_amount as figure, unit_multiplier
    from line
    where ytd_state in ('value', 'zero', 'withheld', 'invalid')
),
below as (
    -- every listed item below a listed one, same return, partner and flow
    select
        parent.submission_id,
        parent.flow,
        parent.partner_key,
        parent.measure,
        parent.item_code,
        parent.figure,
        child.item_code as child_item_code,
        child.figure as child_figure
    from reported as parent
    inner join core.item_ancestor as a on a.ancestor_code = parent.item_code and a.distance > 0
    inner join reported as child
        on child.submission_id = parent.submission_id
        and child.flow = parent.flow
        and child.partner_key = parent.partner_key
        and child.measure = parent.measure
        and child.item_code = a.item_code
),
parent_item as (
    -- With one of them withheld, the upper item stands for them all where it has a figure; with none, they stand for
    -- it. As in validated.service_trade_line.
    select
        submission_id,
        flow,
        partner_key,
        measure,
        item_code,
        count(*) > count(child_figure) as has_withheld_part,
        count(*) > count(child_figure) and count(figure) > 0 as is_kept
    from below
    group by submission_id, flow, partner_key, measure, item_code
),
stood_for as (
    select distinct
        b.submission_id,
        b.flow,
        b.partner_key,
        b.measure,
        b.child_item_code as item_code
    from below as b
    inner join parent_item as p
        on p.submission_id = b.submission_id
        and p.flow = b.flow
        and p.partner_key = b.partner_key
        and p.measure = b.measure
        and p.item_code = b.item_code
    where p.is_kept
),
not_added as (
    select submission_id, flow, partner_key, measure, item_code
    from stood_for
    union
    select submission_id, flow, partner_key, measure, item_code
    from parent_item
    where not has_withheld_part
),
leaf as (
    select
        r.measure,
        r.figure,
        cast(r.figure as double) * l.usd_per_declared_unit as figure_usd,
        l.*
    from reported as r
    inner join line as l
        on l.submission_id = r.submission_id
        and l.sheet = r.sheet
        and l.row_number = r.row_number
        and l.flow = r.flow
    left join not_added as n
        on n.submission_id = r.submission_id
        and n.flow = r.flow
        and n.partner_key = r.partner_key
        and n.measure = r.measure
        and n.item_code = r.item_code
    where n.submission_id is null
),
flow_sum as (
    select
        submission_id,
        flow,
        sum(figure_usd) filter (where measure = 'month' and figure > 0) as flow_usd,
        sum(figure_usd) filter (where measure = 'month' and figure > 0 and is_unspecified) as unspecified_usd,
        sum(figure_usd) filter (where measure = 'ytd') as ytd_usd
    from leaf
    group by submission_id, flow
),
first_row as (
    select
        submission_id,
        flow,
        sheet,
        coalesce(ytd_cell, amount_cell) as cell,
        row_number() over (partition by submission_id, flow order by sheet, row_number, measure) as place
    from leaf
),
unspecified_row as (
    select
        submission_id,
        flow,
        sheet,
        coalesce(partner_cell, item_cell) as cell,
        remark,
        row_number() over (
            partition by submission_id, flow order by figure desc, sheet, row_number
        ) as place
    from leaf
    where measure = 'month'
      and figure > 0
      and is_unspecified
),
total as (
    select
        t.submission_id,
        t.flow,
        t.sheet,
        t.cell,
        row_number() over (partition by t.submission_id, t.flow order by t.row_number desc, t.sheet) as place
    from raw.service_trade_total as t
    where t.month_start_date = $month_start_date
      and t.measure = 'ytd'
),
profile as (
    select
        e.enterprise_code,
        e.submission_id,
        e.sheet,
        e.revenue_cell,
        cast(e.revenue as double) * cast(e.unit_multiplier as double)
            * case when e.currency_code = 'USD' then 1.0 else r.usd_per_unit end as revenue_usd,
        row_number() over (
            partition by e.enterprise_code order by e.month_start_date desc, e.submission_id
        ) as age
    from raw.enterprise_profile as e
    inner join raw.submission as s on s.submission_id = e.submission_id
    left join dollar as r on r.currency_code = e.currency_code
    where e.revenue is not null
      and e.month_start_date >= $month_start_date - interval 12 month
      and e.month_start_date <= $month_start_date
      and (s.is_current_accepted or e.submission_id in (select submission_id from filed))
)
select
    cast($month_start_date as date) as month_start_date,
    s.submission_id,
    'FM-2' as form_code,
    coalesce(u.sheet, t.sheet, f.sheet) as sheet,
    case when p.submission_id = s.submission_id then 'FM-1' else 'FM-2' end as revenue_form_code,
    case when p.submission_id = s.submission_id then p.sheet else coalesce(t.sheet, f.sheet) end as revenue_sheet,
    case when p.submission_id = s.submission_id then p.revenue_cell else coalesce(t.cell, f.cell) end as revenue_cell,
    u.cell as unspecified_cell,
    filed.enterprise_code || '/' || s.flow as business_key,
    case when s.flow = 'export' then '出口' else '进口' end as subject_zh,
    s.flow as subject_en,
    u.remark,
    s.flow_usd,
    100 * coalesce(s.unspecified_usd, 0) / nullif(s.flow_usd, 0) as unspecified_share_pct,
    case when s.flow = 'export' then s.ytd_usd end as export_ytd_usd,
    p.revenue_usd,
    case when s.flow = 'export' then 100 * s.ytd_usd / nullif(p.revenue_usd, 0) end as export_share_of_revenue_pct,
    case
        when s.flow = 'export' then cast(floor(s.ytd_usd / nullif(p.revenue_usd, 0)) as bigint)
    end as whole_revenue_count
from flow_sum as s
inner join filed on filed.submission_id = s.submission_id
left join first_row as f on f.submission_id = s.submission_id and f.flow = s.flow and f.place = 1
left join total as t on t.submission_id = s.submission_id and t.flow = s.flow and t.place = 1
left join unspecified_row as u on u.submission_id = s.submission_id and u.flow = s.flow and u.place = 1
left join profile as p on p.enterprise_code = filed.enterprise_code and p.age = 1
order by s.submission_id, s.flow
