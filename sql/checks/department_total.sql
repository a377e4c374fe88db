-- table:  checks.department_total
-- title:  外汇收支表的平衡关系 / Identities of the balance-of-payments table DM-1
-- grain:  one row per current departmental file, sheet, month, unit, identity and measure
-- reads:  raw.submission, raw.department_cell, reference.ebops_items
-- column: figure_month_start_date | date | month of the figures; a file may hold many
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | DM-1
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the printed figure
-- column: business_key | varchar | month/item/measure
-- column: subject_zh | varchar | item × measure
-- column: subject_en | varchar | item × measure
-- column: subject_period | varchar | month of the figure, 2020-03; empty where its row gives none
-- column: amount | double | as printed
-- column: expected_amount | double | what the printed parts give
-- column: addend_count | bigint | printed parts
-- column: gap | double | amount less expected_amount, exact in decimals before it is a double
-- column: service_gap_per_addend | double | services against the twelve items: the gap's size in last printed digits, for each part; empty for other identities
-- column: goods_and_service_gap_per_addend | double | goods and services together, likewise
-- column: balance_gap_per_addend | double | credit less debit against the balance, likewise
-- method: docs/rules.md
with cell as (
    select c.*
    from raw.department_cell as c
    inner join raw.submission as s on s.submission_id = c.submission_id
    where s.kind = 'department'
      and s.is_current
      and c.form_code = 'DM-1'
),
head as (
    select
        submission_id,
        sheet,
        min(day) filter (where field = 'reference_month') as month_start_date,
        min(code) filter (where field = 'unit') as unit_code
    from cell
    where section = 'head'
    group by submission_id, sheet
),
item_row as (
    select
        submission_id,
        sheet,
        row_number,
        min(day) filter (where field = 'month') as month_start_date,
        min(code) filter (where field = 'unit') as unit_code,
        min(code) filter (where field = 'item_code') as item_code
    from cell
    where section <> 'head'
    group by submission_id, sheet, row_number
),
figure as (
    select
        c.submission_id,
        c.sheet,
        c.row_number,
        c.cell,
        c.field as measure,
        c.number as amount,
        c.state,
        r.item_code,
        coalesce(r.month_start_date, h.month_start_date) as month_start_date,
        coalesce(r.unit_code, h.unit_code, '') as unit_code,
        -- the same month and item twice in one unit: nobody can say which of them adds up
        count(*) over (
            partition by c.submission_id, c.sheet, coalesce(r.month_start_date, h.month_start_date),
                coalesce(r.unit_code, h.unit_code, ''), r.item_code, c.field
        ) as same_key_count
    from cell as c
    inner join item_row as r
        on r.submission_id = c.submission_id and r.sheet = c.sheet and r.row_number = c.row_number
    left join head as h on h.submission_id = c.submission_id and h.sheet = c.sheet
    where c.section <> 'head'
      and c.field in ('credit', 'debit', 'balance')
      and r.item_code is not null
),
decimals as (
    select
        submission_id,
        sheet,
        unit_code,
        max(
            case
                when amount = cast(amount as decimal(30, 0)) then 0
                when amount = cast(amount as decimal(30, 1)) then 1
                when amount = cast(amount as decimal(30, 2)) then 2
                when amount = cast(amount as decimal(30, 3)) then 3
                else 4
            end
        ) as decimal_count
    from figure
    where amount is not null
    group by submission_id, sheet, unit_code
),
part as (
    -- the parts of each printed figure, with their sign in it
    select f.*, 'S' as whole_item_code, f.measure as whole_measure, 'service' as relation, 1 as sign
    from figure as f
    inner join reference.ebops_items as i
        on i.item_code = f.item_code and i.level = 1 and i.valid_until is null
    union all
    select f.*, 'GS' as whole_item_code, f.measure as whole_measure, 'goods_and_service' as relation, 1 as sign
    from figure as f
    where f.item_code in ('G', 'S')
    union all
    select
        f.*,
        f.item_code as whole_item_code,
        'balance' as whole_measure,
        'balance' as relation,
        case when f.measure = 'credit' then 1 else -1 end as sign
    from figure as f
    where f.measure in ('credit', 'debit')
),
expected as (
    select
        submission_id,
        sheet,
        month_start_date,
        unit_code,
        relation,
        whole_item_code,
        whole_measure,
        sum(sign * amount) as expected_amount,
        count(amount) as addend_count,
        count(distinct item_code || measure) as part_count,
        max(same_key_count) as same_key_count
    from part
    group by submission_id, sheet, month_start_date, unit_code, relation, whole_item_code, whole_measure
),
compared as (
    select
        f.month_start_date,
        f.submission_id,
        f.sheet,
        f.row_number,
        f.cell,
        f.item_code,
        f.measure,
        f.amount,
        e.relation,
        e.addend_count,
        -- with a part withheld, missing or given twice there is nothing to compare with
        case
            when e.addend_count = e.part_count
                and e.same_key_count = 1
                and f.same_key_count = 1
                and e.addend_count = case when e.relation = 'service' then 12 else 2 end
                then e.expected_amount
        end as expected_amount,
        cast(e.addend_count as double) * case d.decimal_count
            when 0 then 1.0
            when 1 then 0.1
            when 2 then 0.01
            when 3 then 0.001
            else 0.0001
        end as last_digits
    from expected as e
    inner join figure as f
        on f.submission_id = e.submission_id
        and f.sheet = e.sheet
        and f.month_start_date is not distinct from e.month_start_date
        and f.unit_code = e.unit_code
        and f.item_code = e.whole_item_code
        and f.measure = e.whole_measure
    inner join decimals as d
        on d.submission_id = f.submission_id and d.sheet = f.sheet and d.unit_code = f.unit_code
)
select
    c.month_start_date as figure_month_start_date,
    c.submission_id,
    'DM-1' as form_code,
    c.sheet,
    c.cell,
    coalesce(substr(cast(c.month_start_date as varchar), 1, 7), '') || '/' || c.item_code || '/' || c.measure
        as business_key,
    case c.item_code
        when 'S' then '服务'
        when 'G' then '货物'
        when 'GS' then '货物和服务'
        else c.item_code || ' ' || coalesce(i.name_zh, '')
    end || case c.measure when 'credit' then ' × 贷方' when 'debit' then ' × 借方' else ' × 差额' end as subject_zh,
    case c.item_code
        when 'S' then 'services'
        when 'G' then 'goods'
        when 'GS' then 'goods and services'
        else c.item_code || ' ' || coalesce(i.name_en, '')
    end || ' × ' || c.measure as subject_en,
    substr(cast(c.month_start_date as varchar), 1, 7) as subject_period,
    cast(c.amount as double) as amount,
    cast(c.expected_amount as double) as expected_amount,
    c.addend_count,
    cast(c.amount - c.expected_amount as double) as gap,
    case
        when c.relation = 'service' then abs(cast(c.amount - c.expected_amount as double)) / c.last_digits
    end as service_gap_per_addend,
    case
        when c.relation = 'goods_and_service' then abs(cast(c.amount - c.expected_amount as double)) / c.last_digits
    end as goods_and_service_gap_per_addend,
    case
        when c.relation = 'balance' then abs(cast(c.amount - c.expected_amount as double)) / c.last_digits
    end as balance_gap_per_addend
from compared as c
left join reference.ebops_items as i on i.item_code = c.item_code and i.valid_until is null
order by c.submission_id, c.sheet, c.row_number, c.measure, c.relation
