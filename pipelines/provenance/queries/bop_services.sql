-- Leaves of services on the balance-of-payments basis: cells of DM-1. The printed total S stands where there is
-- one, otherwise the main items; without travel is the total less the cell of travel.
with main_item as (
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

cell as (
    select
        bop.month_start_date,
        bop.period_kind,
        bop.line_id,
        bop.flow,
        bop.item_code,
        case when $currency_code = 'USD' then bop.amount_usd else bop.amount_cny end as line_amount,
        case when $measure = 'balance' and bop.flow = 'import' then -1 else 1 end as sign,
        main_item.item_code is not null as is_main_item,
        coalesce(main_item.is_travel, false) as is_travel,
        coalesce(main_item.is_knowledge_intensive, false) as is_knowledge_intensive,
        max(case when bop.item_code = 'S' then 1 else 0 end) over (partition by bop.month_start_date, bop.period_kind, bop.flow) = 1 as has_total
    from core.bop_services as bop
    left join main_item on main_item.item_code = bop.item_code
    where bop.month_start_date between $first_date and $last_date
      and (
          $measure in ('total', 'balance')
          or ($measure = 'exports' and bop.flow = 'export')
          or ($measure = 'imports' and bop.flow = 'import')
      )
),

chosen as (
    select *, sign as factor
    from cell
    where $scope in ('all', 'excluding_travel')
      and (item_code = 'S' or (not has_total and is_main_item))
    union all
    select *, -sign as factor
    from cell
    where $scope = 'excluding_travel' and is_travel
    union all
    select *, sign as factor
    from cell
    where $scope = 'knowledge_intensive' and is_knowledge_intensive
)

select
    month_start_date,
    line_id,
    split_part(line_id, '/', 1) as submission_id,
    cast(null as varchar) as enterprise_code,
    flow,
    item_code,
    cast(null as varchar) as partner_code,
    period_kind as rate_kind,
    cast(line_amount as decimal(30, 6)) as line_amount,
    cast(factor * line_amount as decimal(30, 6)) as amount,
    cast(null as decimal(9, 6)) as share_pct,
    cast(null as varchar) as basis
from chosen
