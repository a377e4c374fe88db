-- table:  core.item_ancestor
-- title:  服务项目及其上级 / EBOPS items with each item above them
-- grain:  one row per item and item at or above it
-- reads:  reference.ebops_items
-- column: item_code | varchar | EBOPS 2010 item, sql/reference
-- column: ancestor_code | varchar | the item itself or one above it
-- column: distance | integer | 0 for the item itself, 1 for its parent ...
-- column: main_item_code | varchar | one of the twelve main items SA to SL above the item
-- column: ancestor_level | integer | 0 total services, 1 main item ...
-- method: docs/methods/classification.md
with item as (
    select
        item_code,
        parent_code,
        level
    from reference.ebops_items
    where classification = 'EBOPS2010'
),

-- The classification is five levels deep (S, SJ, SJ3, SJ31, SJ311): four steps up reach the top from anywhere.
step as (
    select item_code, item_code as ancestor_code, level as ancestor_level, parent_code as next_code, 0 as distance
    from item
    union all
    select item.item_code, one.item_code, one.level, one.parent_code, 1
    from item
    inner join item as one on one.item_code = item.parent_code
    union all
    select item.item_code, two.item_code, two.level, two.parent_code, 2
    from item
    inner join item as one on one.item_code = item.parent_code
    inner join item as two on two.item_code = one.parent_code
    union all
    select item.item_code, three.item_code, three.level, three.parent_code, 3
    from item
    inner join item as one on one.item_code = item.parent_code
    inner join item as two on two.item_code = one.parent_code
    inner join item as three on three.item_code = two.parent_code
    union all
    select item.item_code, four.item_code, four.level, four.parent_code, 4
    from item
    inner join item as one on one.item_code = item.parent_code
    inner join item as two on two.item_code = one.parent_code
    inner join item as three on three.item_code = two.parent_code
    inner join item as four on four.item_code = three.parent_code
)

select
    item_code,
    ancestor_code,
    distance,
    max(case when ancestor_level = 1 then ancestor_code end) over (partition by item_code) as main_item_code,
    ancestor_level
from step
order by item_code, distance
