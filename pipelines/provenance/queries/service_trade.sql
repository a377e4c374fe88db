-- Leaves of every sum over FM-2: the accepted lines themselves.
-- Filters are the dimensions of the indicator's row; one that is NULL does not filter, '' stands for "none stated".
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
)

select
    line.month_start_date,
    line.line_id,
    line.submission_id,
    line.enterprise_code,
    line.flow,
    line.item_code,
    line.partner_code,
    line.period_kind as rate_kind,
    cast(case when $currency_code = 'USD' then line.amount_usd else line.amount_cny end as decimal(30, 6)) as line_amount,
    cast(
        case when $measure = 'balance' and line.flow = 'import' then -1 else 1 end
        * case when $currency_code = 'USD' then line.amount_usd else line.amount_cny end
        as decimal(30, 6)
    ) as amount,
    cast(null as decimal(9, 6)) as share_pct,
    cast(null as varchar) as basis
from core.service_trade as line
left join main_item on main_item.item_code = line.main_item_code
where line.month_start_date between $first_date and $last_date
  and (
      $measure in ('total', 'balance')
      or ($measure = 'exports' and line.flow = 'export')
      or ($measure = 'imports' and line.flow = 'import')
  )
  and (
      coalesce($scope, 'all') = 'all'
      or ($scope = 'excluding_travel' and not coalesce(main_item.is_travel, false))
      or ($scope = 'knowledge_intensive' and coalesce(main_item.is_knowledge_intensive, false))
  )
  and ($item_code is null or coalesce(line.main_item_code, '') = $item_code)
  and ($partner_code is null or coalesce(line.partner_code, '') = $partner_code)
  and ($district_code is null or coalesce(line.district_code, '') = $district_code)
  and (
      $group_code is null
      or exists (
          select 1
          from reference.partner_group_members as member
          where member.group_code = $group_code
            and member.partner_code = line.partner_code
            and (member.valid_from is null or member.valid_from <= line.month_start_date)
            and (member.valid_until is null or member.valid_until >= line.month_start_date)
      )
  )
