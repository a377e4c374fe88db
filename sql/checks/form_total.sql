-- table:  checks.form_total
-- title:  其他各表的合计与各行之和 / Printed totals of FM-4 to FM-8 against their rows
-- grain:  one row per current return, sheet and added-up column with a printed total (the last total row of the sheet)
-- reads:  raw.submission, raw.return_cell, core.item_ancestor, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-4, FM-5, FM-6, FM-7 or FM-8
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the printed total
-- column: business_key | varchar | enterprise/form/sheet/field
-- column: subject_zh | varchar | which total
-- column: subject_en | varchar | which total
-- column: amount_text | varchar | as typed
-- column: amount | double | printed total as declared; 0 where it is — (not applicable)
-- column: row_sum | double | rows added up, on FM-5 without rows that sum up other rows; 0 when no row has a figure; with a row withheld the others, and only where they exceed the total already (else empty)
-- column: row_count | bigint | rows added up
-- column: gap | double | printed total less row_sum, exact in decimals before it is a double
-- column: gap_per_addend_in_last_digits | double | the gap's size in units of the last printed digit of the column, for each row added up
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
-- What adds up from row to row. Persons, trainees and institutions do not: one may stand on several rows.
added_column (form_code, field, label_zh, label_en) as (
    values
    ('FM-4', 'sales_revenue', '销售（营业）收入', 'sales'),
    ('FM-4', 'services_revenue', '服务销售收入', 'sales of services'),
    ('FM-5', 'person_days', '人天', 'person-days'),
    ('FM-5', 'contract_amount', '合同金额', 'contract value'),
    ('FM-5', 'remuneration', '劳务报酬', 'remuneration'),
    ('FM-6', 'contract_amount', '合同总金额', 'contract value'),
    ('FM-6', 'technology_fee', '技术费', 'technology fee'),
    ('FM-7', 'visit_count', '来华就诊人次', 'visits of foreign patients'),
    ('FM-7', 'revenue', '服务收入', 'revenue'),
    ('FM-7', 'remote_revenue', '远程服务收入', 'remote revenue'),
    ('FM-8', 'annual_amount', '年交易额', 'value of a year')
),
of_form as (
    select
        c.*,
        f.enterprise_code
    from raw.return_cell as c
    inner join filed as f on f.submission_id = c.submission_id
    where c.month_start_date = $month_start_date
      and c.form_code in ('FM-4', 'FM-5', 'FM-6', 'FM-7', 'FM-8')
),
declared as (
    select
        c.submission_id,
        c.form_code,
        c.sheet,
        max(u.unit_multiplier) as unit_multiplier
    from of_form as c
    inner join reference.units as u on u.unit_code = c.code
    where c.section = 'head'
      and c.field = 'unit'
    group by c.submission_id, c.form_code, c.sheet
),
movement as (
    select
        submission_id,
        sheet,
        row_number,
        coalesce(max(code) filter (where field = 'direction'), '') as direction,
        coalesce(max(code) filter (where field = 'partner_code'), '') as partner_key,
        max(code) filter (where field = 'item_code') as item_code
    from of_form
    where form_code = 'FM-5'
      and section = 'row'
    group by submission_id, sheet, row_number
),
-- A blank says nothing, and — (not applicable) contributes nothing.
reported as (
    select
        c.submission_id,
        c.form_code,
        c.sheet,
        c.row_number,
        c.field,
        c.number as figure,
        m.direction,
        m.partner_key,
        m.item_code
    from of_form as c
    inner join added_column as a on a.form_code = c.form_code and a.field = c.field
    left join movement as m
        on c.form_code = 'FM-5'
        and m.submission_id = c.submission_id
        and m.sheet = c.sheet
        and m.row_number = c.row_number
    where c.section = 'row'
      and c.state in ('value', 'zero', 'withheld', 'invalid')
),
below as (
    -- every listed item below a listed one, same direction and partner
    select
        parent.submission_id,
        parent.sheet,
        parent.field,
        parent.direction,
        parent.partner_key,
        parent.item_code,
        parent.figure,
        child.item_code as child_item_code,
        child.figure as child_figure
    from reported as parent
    inner join core.item_ancestor as a on a.ancestor_code = parent.item_code and a.distance > 0
    inner join reported as child
        on child.submission_id = parent.submission_id
        and child.sheet = parent.sheet
        and child.field = parent.field
        and child.direction = parent.direction
        and child.partner_key = parent.partner_key
        and child.item_code = a.item_code
),
parent_item as (
    -- As in checks.return_total: over a withheld item below, the upper one stands for them all where it has a figure.
    select
        submission_id,
        sheet,
        field,
        direction,
        partner_key,
        item_code,
        count(*) > count(child_figure) as has_withheld_part,
        count(*) > count(child_figure) and count(figure) > 0 as is_kept
    from below
    group by submission_id, sheet, field, direction, partner_key, item_code
),
not_added as (
    select
        b.submission_id,
        b.sheet,
        b.field,
        b.direction,
        b.partner_key,
        b.child_item_code as item_code
    from below as b
    inner join parent_item as p
        on p.submission_id = b.submission_id
        and p.sheet = b.sheet
        and p.field = b.field
        and p.direction = b.direction
        and p.partner_key = b.partner_key
        and p.item_code = b.item_code
    where p.is_kept
    union
    select
        submission_id,
        sheet,
        field,
        direction,
        partner_key,
        item_code
    from parent_item
    where not has_withheld_part
),
addend as (
    select r.*
    from reported as r
    left join not_added as n
        on n.submission_id = r.submission_id
        and n.sheet = r.sheet
        and n.field = r.field
        and n.direction = r.direction
        and n.partner_key = r.partner_key
        and n.item_code = r.item_code
    where n.submission_id is null
),
summed as (
    select
        submission_id,
        form_code,
        sheet,
        field,
        sum(figure) as row_sum,
        count(figure) as row_count,
        count(*) filter (where figure is null) as unknown_count,
        count(*) filter (where figure < 0) as negative_count
    from addend
    group by submission_id, form_code, sheet, field
),
printed as (
    select
        c.*,
        a.label_zh,
        a.label_en,
        -- — (not applicable) as a total says that there is nothing to add up
        case when c.state = 'not_applicable' then 0 else c.number end as amount,
        row_number() over (
            partition by c.submission_id, c.form_code, c.sheet, c.field order by c.row_number desc, c.cell
        ) as place_from_foot
    from of_form as c
    inner join added_column as a on a.form_code = c.form_code and a.field = c.field
    where c.section = 'total'
),
figure as (
    select
        submission_id,
        form_code,
        sheet,
        field,
        figure
    from addend
    union all
    select
        submission_id,
        form_code,
        sheet,
        field,
        amount as figure
    from printed
),
decimals as (
    -- six decimals are the finest asked for; a figure too large for them has none that matter
    select
        f.submission_id,
        f.form_code,
        f.sheet,
        f.field,
        max(
            case
                when f.digits is null or f.digits = cast(f.digits as decimal(18, 0)) then 0
                when f.digits = cast(f.digits as decimal(18, 1)) then 1
                when f.digits = cast(f.digits as decimal(18, 2)) then 2
                when d.unit_multiplier < 1000000 then 2
                when f.digits = cast(f.digits as decimal(18, 3)) then 3
                when f.digits = cast(f.digits as decimal(18, 4)) then 4
                when f.digits = cast(f.digits as decimal(18, 5)) then 5
                else 6
            end
        ) as decimal_count
    from (
        select
            *,
            try_cast(cast(figure as double) as decimal(18, 6)) as digits
        from figure
        where figure is not null
    ) as f
    left join declared as d
        on d.submission_id = f.submission_id
        and d.form_code = f.form_code
        and d.sheet = f.sheet
    group by f.submission_id, f.form_code, f.sheet, f.field
),
compared as (
    select
        p.*,
        case
            when s.submission_id is null then 0
            when s.unknown_count = 0 then s.row_sum
            -- whatever the withheld rows are, they cannot bring the others below the total
            when s.negative_count = 0 and s.row_sum > p.amount then s.row_sum
        end as row_sum,
        coalesce(s.row_count, 0) as row_count,
        case when s.row_count > 0 then cast(s.row_count as double) else 1.0 end * case d.decimal_count
            when 0 then 1.0
            when 1 then 0.1
            when 2 then 0.01
            when 3 then 0.001
            when 4 then 0.0001
            when 5 then 0.00001
            else 0.000001
        end as last_digits
    from printed as p
    left join summed as s
        on s.submission_id = p.submission_id
        and s.form_code = p.form_code
        and s.sheet = p.sheet
        and s.field = p.field
    left join decimals as d
        on d.submission_id = p.submission_id
        and d.form_code = p.form_code
        and d.sheet = p.sheet
        and d.field = p.field
    where p.place_from_foot = 1
)
select
    month_start_date,
    submission_id,
    form_code,
    sheet,
    cell,
    enterprise_code || '/' || form_code || '/' || sheet || '/' || field as business_key,
    '合计 × ' || label_zh as subject_zh,
    'total × ' || label_en as subject_en,
    text as amount_text,
    cast(amount as double) as amount,
    cast(row_sum as double) as row_sum,
    row_count,
    cast(amount - row_sum as double) as gap,
    abs(cast(amount - row_sum as double)) / last_digits as gap_per_addend_in_last_digits
from compared
order by submission_id, form_code, sheet, cell
