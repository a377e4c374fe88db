-- table:  checks.service_trade_parent
-- title:  上级项目与下级之和 / Items listed together with items below them
-- grain:  one row per current return, sheet row, flow and measure whose item has listed items below it, same partner
-- reads:  raw.submission, raw.service_trade_line, core.item_ancestor, reference.ebops_items, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the upper item's amount
-- column: business_key | varchar | enterprise/item/partner/flow/measure
-- column: subject_zh | varchar | item × partner × flow × measure
-- column: subject_en | varchar | item × partner × flow × measure
-- column: amount | double | of the upper item, declared unit
-- column: child_sum | double | of the items listed directly below it; with one of them withheld the others, and only where they exceed the upper item already (else empty)
-- column: child_count | bigint | items added up
-- column: gap | double | amount less child_sum, exact in decimals before it is a double
-- column: gap_per_addend_in_last_digits | double | the gap's size in units of the last printed digit, for each item added up
-- method: docs/rules.md
with line as (
    select l.*
    from raw.service_trade_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
      and l.item_code is not null
      and (l.amount_state is not null or l.ytd_state is not null)
),
-- What a row says of one measure. A blank says nothing, and — (not applicable) contributes nothing: neither makes
-- an item above of its row, nor one below.
reported as (
    select
        submission_id, sheet, row_number, flow, item_code, coalesce(partner_code, '') as partner_key,
        'month' as measure, amount as figure
    from line
    where amount_state in ('value', 'zero', 'withheld', 'invalid')
    union all
    select
        submission_id, sheet, row_number, flow, item_code, coalesce(partner_code, '') as partner_key,
        'ytd' as measure, ytd_amount as figure
    from line
    where ytd_state in ('value', 'zero', 'withheld', 'invalid')
),
pair as (
    select
        child.submission_id,
        child.flow,
        child.item_code as child_item_code,
        child.measure,
        child.figure,
        parent.sheet as parent_sheet,
        parent.row_number as parent_row_number,
        -- a listed item belongs to the nearest listed item above it
        row_number() over (
            partition by child.submission_id, child.sheet, child.flow, child.row_number, child.measure
            order by a.distance, parent.sheet, parent.row_number
        ) as place
    from reported as child
    inner join core.item_ancestor as a on a.item_code = child.item_code and a.distance > 0
    inner join reported as parent
        on parent.submission_id = child.submission_id
        and parent.flow = child.flow
        and parent.measure = child.measure
        and parent.item_code = a.ancestor_code
        and parent.partner_key = child.partner_key
),
children as (
    select
        submission_id,
        flow,
        measure,
        parent_sheet,
        parent_row_number,
        sum(figure) as child_sum,
        count(figure) as child_count,
        count(*) - count(figure) as unknown_count,
        -- insurance pays back more than it takes in: of its imports not even the sign is known while they are withheld
        count(*) filter (
            where figure < 0
               or (figure is null and flow = 'import' and substr(child_item_code, 1, 2) = 'SF')
        ) as unbounded_count
    from pair
    where place = 1
    group by submission_id, flow, measure, parent_sheet, parent_row_number
),
figure as (
    select submission_id, sheet, amount as figure, unit_multiplier from line
    union all
    select submission_id, sheet, ytd_amount as figure, unit_multiplier from line
),
decimals as (
    select
        submission_id,
        sheet,
        max(
            case
                when digits is null or digits = cast(digits as decimal(18, 0)) then 0
                when digits = cast(digits as decimal(18, 1)) then 1
                when digits = cast(digits as decimal(18, 2)) then 2
                when unit_multiplier < 1000000 then 2
                when digits = cast(digits as decimal(18, 3)) then 3
                when digits = cast(digits as decimal(18, 4)) then 4
                when digits = cast(digits as decimal(18, 5)) then 5
                else 6
            end
        ) as decimal_count
    from (
        -- six decimals are the finest asked for; a figure too large for them has none that matter
        select
            submission_id,
            sheet,
            unit_multiplier,
            try_cast(cast(figure as double) as decimal(18, 6)) as digits
        from figure
        where figure is not null
    ) as cut
    group by submission_id, sheet
),
compared as (
    select
        l.*,
        c.measure,
        case when c.measure = 'month' then l.amount else l.ytd_amount end as parent_amount,
        case when c.measure = 'month' then l.amount_cell else l.ytd_cell end as cell,
        case
            when c.unknown_count = 0 then c.child_sum
            -- whatever the withheld items are, they cannot bring the others below the upper item
            when c.unbounded_count = 0
                and c.child_sum > case when c.measure = 'month' then l.amount else l.ytd_amount end then c.child_sum
        end as child_sum,
        c.child_count,
        d.decimal_count
    from children as c
    inner join line as l
        on l.submission_id = c.submission_id
        and l.sheet = c.parent_sheet
        and l.flow = c.flow
        and l.row_number = c.parent_row_number
    inner join decimals as d on d.submission_id = l.submission_id and d.sheet = l.sheet
    where c.child_count > 0
)
select
    c.month_start_date,
    c.submission_id,
    'FM-2' as form_code,
    c.sheet,
    c.cell,
    c.enterprise_code || '/' || c.item_code || '/' || coalesce(c.partner_code, '') || '/' || c.flow || '/' || c.measure
        as business_key,
    coalesce(c.item_code || ' ' || i.name_zh, c.item_code) || ' × ' || coalesce(p.name_zh, '国别未填')
        || ' × ' || case when c.flow = 'export' then '出口' else '进口' end
        || case when c.measure = 'ytd' then ' × 累计' else '' end as subject_zh,
    coalesce(c.item_code || ' ' || i.name_en, c.item_code) || ' × ' || coalesce(p.name_en, 'no partner')
        || ' × ' || c.flow || case when c.measure = 'ytd' then ' × year to date' else '' end as subject_en,
    cast(c.parent_amount as double) as amount,
    cast(c.child_sum as double) as child_sum,
    c.child_count,
    cast(c.parent_amount - c.child_sum as double) as gap,
    abs(cast(c.parent_amount - c.child_sum as double)) / (
        cast(c.child_count as double) * case c.decimal_count
            when 0 then 1.0
            when 1 then 0.1
            when 2 then 0.01
            when 3 then 0.001
            when 4 then 0.0001
            when 5 then 0.00001
            else 0.000001
        end
    ) as gap_per_addend_in_last_digits
from compared as c
left join reference.ebops_items as i
    on i.item_code = c.item_code
    and i.valid_from <= c.month_start_date
    and (i.valid_until is null or i.valid_until >= c.month_start_date)
left join reference.partners as p on p.partner_code = c.partner_code
order by c.submission_id, c.sheet, c.row_number, c.flow, c.measure
