-- table:  core.published_share
-- title:  已公布的服务贸易比重 / Shares of services published by departments, both ways: over foreign trade and over goods
-- grain:  one row per area and period
-- reads:  core.department_indicator
-- column: area | varchar | as filed; empty means the city itself
-- column: is_city | boolean | a figure of the city
-- column: period_code | varchar | 2017, 2020-03, 2020-H1 ...
-- column: period_start_date | date | first day of the period
-- column: period_end_date | date | last day of the period
-- column: share_pct | double | S/(S+G), per cent
-- column: services_to_goods_pct | double | S/G, per cent
-- column: basis | varchar | as_published (S/(S+G) was filed) or converted (S/G was filed)
-- column: department | varchar | department that filed it
-- column: is_provisional | boolean | 初步
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/share_of_foreign_trade.md
with filed as (
    select
        coalesce(area, '') as area,
        is_city,
        period_code,
        period_start_date,
        period_end_date,
        indicator,
        cast(value as double) as value,
        department,
        is_provisional,
        line_id
    from core.department_indicator
    where indicator in ('服务贸易占对外贸易比重', '服务贸易占货物贸易比重')
      and value is not null
      and unit = '%'
),

both_ways as (
    select
        *,
        -- S/G and S/(S+G) say the same thing of the same two sums: r = s / (1 - s), s = r / (1 + r).
        case
            when indicator = '服务贸易占对外贸易比重' then value
            when value > -100 then 100 * value / nullif(100 + value, 0)
        end as share_pct,
        case
            when indicator = '服务贸易占货物贸易比重' then value
            when value < 100 then 100 * value / nullif(100 - value, 0)
        end as services_to_goods_pct,
        case when indicator = '服务贸易占对外贸易比重' then 'as_published' else 'converted' end as basis,
        -- Where both circulate, the one over foreign trade is the one the plan means.
        row_number() over (
            partition by area, period_code
            order by case when indicator = '服务贸易占对外贸易比重' then 0 else 1 end
        ) as preference
    from filed
)

select
    nullif(area, '') as area,
    is_city,
    period_code,
    period_start_date,
    period_end_date,
    share_pct,
    services_to_goods_pct,
    basis,
    department,
    is_provisional,
    line_id
from both_ways
where preference = 1
order by area, period_start_date, period_code
