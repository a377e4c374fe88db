-- table:  checks.return_total
-- title:  合计与各行之和 / Printed totals of FM-2 and FM-3 against their rows
-- grain:  one row per current return, sheet and printed total (the last total row of the sheet)
-- reads:  raw.submission, raw.service_trade_line, raw.service_trade_total, raw.outsourcing_line, raw.outsourcing_total, core.item_ancestor
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2 or FM-3
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the printed total
-- column: business_key | varchar | enterprise/form/flow/measure
-- column: subject_zh | varchar | which total
-- column: subject_en | varchar | which total
-- column: measure | varchar | month, ytd, contract_amount, executed or executed_cumulative
-- column: amount_text | varchar | as typed
-- column: amount | double | printed total, declared unit; 0 where it is — (not applicable)
-- column: row_sum | double | rows added up, without rows that sum up other rows; 0 when no row has a figure; with a row withheld the others, and only where they exceed the total already (else empty)
-- column: row_count | bigint | rows added up
-- column: gap | double | printed total less row_sum, exact in decimals before it is a double
-- column: gap_per_addend_in_last_digits | double | the gap's size in units of the last printed digit, for each row added up
-- column: offshore_sum | double | offshore rows added up (executed this month on FM-3 only)
-- column: offshore_above_total_per_addend_in_last_digits | double | by how much they exceed the printed total, likewise; negative when below
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
line as (
    select l.*
    from raw.service_trade_line as l
    inner join filed as f on f.submission_id = l.submission_id
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
    select r.*
    from reported as r
    left join not_added as n
        on n.submission_id = r.submission_id
        and n.flow = r.flow
        and n.partner_key = r.partner_key
        and n.measure = r.measure
        and n.item_code = r.item_code
    where n.submission_id is null
),
contract as (
    select l.*
    from raw.outsourcing_line as l
    inner join filed as f on f.submission_id = l.submission_id
    where l.month_start_date = $month_start_date
),
addend as (
    -- insurance pays back more than it takes in: of its imports not even the sign is known while they are withheld
    select
        submission_id, 'FM-2' as form_code, sheet, flow, measure, figure, 'value' as state, unit_multiplier,
        false as is_offshore,
        flow = 'import' and coalesce(substr(item_code, 1, 2), '') = 'SF' as may_be_negative
    from leaf
    union all
    select
        submission_id, 'FM-3' as form_code, sheet, '' as flow, 'contract_amount' as measure,
        contract_amount as figure, contract_amount_state as state, unit_multiplier,
        false as is_offshore, false as may_be_negative
    from contract
    union all
    select
        submission_id, 'FM-3' as form_code, sheet, '' as flow, 'executed' as measure,
        executed as figure, executed_state as state, unit_multiplier,
        coalesce(shore = 'offshore', false) as is_offshore, false as may_be_negative
    from contract
    union all
    select
        submission_id, 'FM-3' as form_code, sheet, '' as flow, 'executed_cumulative' as measure,
        executed_cumulative as figure, executed_cumulative_state as state, unit_multiplier,
        false as is_offshore, false as may_be_negative
    from contract
),
summed as (
    select
        submission_id,
        form_code,
        sheet,
        flow,
        measure,
        sum(figure) as row_sum,
        sum(figure) filter (where is_offshore) as offshore_sum,
        count(figure) as row_count,
        count(*) filter (where figure is null and state in ('value', 'withheld', 'invalid')) as unknown_count,
        -- rows whose sign is not known, or known to be negative: then a sum of the others bounds nothing
        count(*) filter (where figure < 0 or (figure is null and may_be_negative)) as unbounded_count
    from addend
    group by submission_id, form_code, sheet, flow, measure
),
printed as (
    select
        t.month_start_date, t.submission_id, 'FM-2' as form_code, t.sheet, t.row_number, t.flow, t.measure,
        -- — (not applicable) as a total says that there is nothing to add up
        case when t.amount_state = 'not_applicable' then 0 else t.amount end as amount,
        t.amount_text, t.cell
    from raw.service_trade_total as t
    inner join filed as f on f.submission_id = t.submission_id
    where t.month_start_date = $month_start_date
    union all
    select
        t.month_start_date, t.submission_id, 'FM-3' as form_code, t.sheet, t.row_number, '' as flow, t.measure,
        case when t.amount_state = 'not_applicable' then 0 else t.amount end as amount,
        t.amount_text, t.cell
    from raw.outsourcing_total as t
    inner join filed as f on f.submission_id = t.submission_id
    where t.month_start_date = $month_start_date
),
last_printed as (
    select
        *,
        row_number() over (
            partition by submission_id, form_code, sheet, flow, measure order by row_number desc, cell
        ) as place_from_foot
    from printed
),
figure as (
    select submission_id, form_code, sheet, figure, unit_multiplier from addend
    union all
    select submission_id, form_code, sheet, amount as figure, 1 as unit_multiplier from printed
),
decimals as (
    select
        submission_id,
        form_code,
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
            form_code,
            sheet,
            unit_multiplier,
            try_cast(cast(figure as double) as decimal(18, 6)) as digits
        from figure
        where figure is not null
    ) as cut
    group by submission_id, form_code, sheet
),
compared as (
    select
        p.*,
        f.enterprise_code,
        case
            when s.submission_id is null or (s.row_count = 0 and s.unknown_count = 0) then 0
            when s.unknown_count = 0 then s.row_sum
            -- whatever the withheld rows are, they cannot bring the others below the total
            when s.unbounded_count = 0 and s.row_sum > p.amount then s.row_sum
        end as row_sum,
        coalesce(s.row_count, 0) as row_count,
        case when s.unknown_count = 0 or s.unbounded_count = 0 then s.offshore_sum end as offshore_sum,
        case when s.row_count > 0 then cast(s.row_count as double) else 1.0 end * case d.decimal_count
            when 0 then 1.0
            when 1 then 0.1
            when 2 then 0.01
            when 3 then 0.001
            when 4 then 0.0001
            when 5 then 0.00001
            else 0.000001
        end as last_digits
    from last_printed as p
    inner join filed as f on f.submission_id = p.submission_id
    left join summed as s
        on s.submission_id = p.submission_id
        and s.form_code = p.form_code
        and s.sheet = p.sheet
        and s.flow = p.flow
        and s.measure = p.measure
    left join decimals as d
        on d.submission_id = p.submission_id and d.form_code = p.form_code and d.sheet = p.sheet
    where p.place_from_foot = 1
)
select
    month_start_date,
    submission_id,
    form_code,
    sheet,
    cell,
    enterprise_code || '/' || form_code || '/' || flow || '/' || measure as business_key,
    '合计 × ' || case flow when 'export' then '出口 × ' when 'import' then '进口 × ' else '' end || case measure
        when 'month' then '本月'
        when 'ytd' then '累计'
        when 'contract_amount' then '合同额'
        when 'executed' then '本月执行额'
        else '累计执行额'
    end as subject_zh,
    'total × ' || case flow when '' then '' else flow || ' × ' end || case measure
        when 'month' then 'this month'
        when 'ytd' then 'year to date'
        when 'contract_amount' then 'contract value'
        when 'executed' then 'executed this month'
        else 'executed since signing'
    end as subject_en,
    measure,
    amount_text,
    cast(amount as double) as amount,
    cast(row_sum as double) as row_sum,
    row_count,
    cast(amount - row_sum as double) as gap,
    abs(cast(amount - row_sum as double)) / last_digits as gap_per_addend_in_last_digits,
    cast(offshore_sum as double) as offshore_sum,
    cast(offshore_sum - amount as double) / last_digits as offshore_above_total_per_addend_in_last_digits
from compared
order by submission_id, form_code, sheet, cell
