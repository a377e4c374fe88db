-- table:  estimates.service_trade_by_mode
-- title:  按提供模式分配的明细 / Service-trade lines split over modes of supply
-- grain:  one row per line, profile and mode with a share above zero
-- reads:  core.service_trade, estimates.mode_share, reference.mode_profiles
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: flow | varchar | export or import
-- column: item_code | varchar | EBOPS 2010 item, sql/reference
-- column: main_item_code | varchar | one of the twelve main items SA to SL above the item
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: profile | varchar | wto_base, wto_2020s or ons_2019
-- column: mode | varchar | 1, 2, 3_in_bop, 4, goods or out_of_scope
-- column: share_pct | decimal(9,6) | per cent of the line
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
-- column: alloc_basis | varchar | declared (by the enterprise), local, profile or fallback
-- column: share_item_code | varchar | item at which the share was found; the item itself if declared
-- method: docs/methods/trade_by_mode.md
with line as (
    select
        *,
        -- A share outside 0 to 100 never gets here (rule H6); the key joins lines that declare none.
        coalesce(remote_share_pct, -1) as remote_key
    from core.service_trade
    where month_start_date = $month_start_date
),

-- The split depends on item, flow and declared share only: work it out once for each combination.
combination as (
    select distinct
        item_code,
        flow,
        remote_share_pct,
        remote_key
    from line
),

mode_order as (
    select '1' as mode, 1 as mode_order
    union all
    select '2' as mode, 2 as mode_order
    union all
    select '3_in_bop' as mode, 3 as mode_order
    union all
    select '4' as mode, 4 as mode_order
    union all
    select 'goods' as mode, 5 as mode_order
    union all
    select 'out_of_scope' as mode, 6 as mode_order
),

model as (
    select
        combination.item_code,
        combination.flow,
        combination.remote_share_pct,
        combination.remote_key,
        profile.profile,
        max(share.alloc_basis) as alloc_basis,
        max(share.share_item_code) as share_item_code,
        coalesce(max(share.share_pct) filter (where share.mode = '1'), 0) as mode_1_pct,
        coalesce(max(share.share_pct) filter (where share.mode = 'out_of_scope'), 0) as out_of_scope_pct
    from combination
    cross join reference.mode_profiles as profile
    left join estimates.mode_share as share
        on share.month_start_date = $month_start_date
        and share.profile = profile.profile
        and share.item_code = combination.item_code
        and share.flow = combination.flow
    group by combination.item_code, combination.flow, combination.remote_share_pct, combination.remote_key, profile.profile
),

split as (
    select
        model.item_code,
        model.flow,
        model.remote_key,
        model.profile,
        mode_order.mode,
        mode_order.mode_order,
        case
            -- An item with shares nowhere (a bare total) stays in the identity, outside the modes.
            when model.alloc_basis is null then 'fallback'
            when model.remote_share_pct is null or model.out_of_scope_pct = 100 then model.alloc_basis
            else 'declared'
        end as alloc_basis,
        case
            when model.alloc_basis is null then null
            when model.remote_share_pct is null or model.out_of_scope_pct = 100 then model.share_item_code
            else model.item_code
        end as share_item_code,
        case
            when model.alloc_basis is null then case when mode_order.mode = 'out_of_scope' then cast(100 as decimal(9, 6)) end
            when model.remote_share_pct is null or model.out_of_scope_pct = 100 then share.share_pct
            when mode_order.mode = '1' then model.remote_share_pct
            -- What is not remote goes to the other modes in the proportions of the profile, to mode 4 if it has none.
            when model.mode_1_pct = 100 then case when mode_order.mode = '4' then cast(100 - model.remote_share_pct as decimal(9, 6)) end
            else cast(
                cast(share.share_pct as double) * cast(100 - model.remote_share_pct as double)
                / nullif(cast(100 - model.mode_1_pct as double), 0)
                as decimal(9, 6)
            )
        end as share_pct
    from model
    cross join mode_order
    left join estimates.mode_share as share
        on share.month_start_date = $month_start_date
        and share.profile = model.profile
        and share.item_code = model.item_code
        and share.flow = model.flow
        and share.mode = mode_order.mode
),

-- Cumulative shares: each mode takes the line's amount up to its share less what was taken before, and the
-- last takes all that is left, so that the parts add up to the line exactly.
stacked as (
    select
        item_code,
        flow,
        remote_key,
        profile,
        mode,
        mode_order,
        alloc_basis,
        share_item_code,
        share_pct,
        sum(share_pct) over (
            partition by profile, item_code, flow, remote_key
            order by mode_order
            rows between unbounded preceding and current row
        ) as upto_pct,
        row_number() over (
            partition by profile, item_code, flow, remote_key
            order by mode_order desc
        ) as place_from_last
    from split
    where share_pct > 0
),

bound as (
    select
        item_code,
        flow,
        remote_key,
        profile,
        mode,
        mode_order,
        alloc_basis,
        share_item_code,
        cast(case when place_from_last = 1 then 100 - (upto_pct - share_pct) else share_pct end as decimal(9, 6)) as share_pct,
        cast((upto_pct - share_pct) * 0.01 as decimal(11, 8)) as from_part,
        cast(case when place_from_last = 1 then 1 else upto_pct * 0.01 end as decimal(11, 8)) as upto_part
    from stacked
),

-- Amounts up to the mode and up to the one before it. The ends need no multiplication, which is most of the work:
-- an item that is all of one mode takes the line as it stands.
split_line as (
    select
        line.*,
        bound.profile,
        bound.mode,
        bound.mode_order,
        bound.share_pct,
        bound.alloc_basis,
        bound.share_item_code,
        case when bound.upto_part = 1 then line.amount_usd else cast(line.amount_usd * bound.upto_part as decimal(24, 4)) end as usd_upto,
        case when bound.from_part = 0 then cast(0 as decimal(24, 4)) else cast(line.amount_usd * bound.from_part as decimal(24, 4)) end as usd_from,
        case when bound.upto_part = 1 then line.amount_cny else cast(line.amount_cny * bound.upto_part as decimal(24, 4)) end as cny_upto,
        case when bound.from_part = 0 then cast(0 as decimal(24, 4)) else cast(line.amount_cny * bound.from_part as decimal(24, 4)) end as cny_from
    from line
    inner join bound
        on bound.item_code is not distinct from line.item_code
        and bound.flow = line.flow
        and bound.remote_key = line.remote_key
)

select
    split_line.month_start_date,
    split_line.line_id,
    split_line.enterprise_code,
    split_line.district_code,
    split_line.flow,
    split_line.item_code,
    split_line.main_item_code,
    split_line.partner_code,
    split_line.profile,
    split_line.mode,
    split_line.share_pct,
    cast(split_line.usd_upto - split_line.usd_from as decimal(24, 4)) as amount_usd,
    cast(split_line.cny_upto - split_line.cny_from as decimal(24, 4)) as amount_cny,
    split_line.alloc_basis,
    split_line.share_item_code
from split_line
order by split_line.profile, split_line.enterprise_code, split_line.line_id, split_line.mode_order
