-- table:  estimates.mode_share
-- title:  各项目四种模式比例 / Share of each mode of supply by item, flow and profile, found at the most detailed item
-- grain:  one row per profile, item, flow and mode with a share above zero
-- reads:  core.item_ancestor, core.mode_survey, reference.mode_allocation, reference.mode_profiles, reference.partners
-- column: profile | varchar | wto_base, wto_2020s or ons_2019
-- column: item_code | varchar | EBOPS 2010 item, sql/reference
-- column: flow | varchar | export or import
-- column: mode | varchar | 1, 2, 3_in_bop, 4, goods or out_of_scope
-- column: share_pct | decimal(9,6) | per cent of the balance-of-payments value; the shares of an item add up to 100
-- column: alloc_basis | varchar | local (a survey of the city), profile (a share of the item or one above it) or fallback (a share of another profile)
-- column: share_item_code | varchar | item at which the share was found
-- column: share_profile | varchar | profile in which the share was found
-- column: mode_order | integer | 1 to 6: modes 1, 2, 3 in the BoP, 4, goods, out of scope
-- method: docs/methods/trade_by_mode.md
with profile_share as (
    select profile, flow as stated_flow, item_code, '1' as mode, 1 as mode_order, mode_1_pct as share_pct from reference.mode_allocation
    union all
    select profile, flow, item_code, '2', 2, mode_2_pct from reference.mode_allocation
    union all
    select profile, flow, item_code, '3_in_bop', 3, mode_3_in_bop_pct from reference.mode_allocation
    union all
    select profile, flow, item_code, '4', 4, mode_4_pct from reference.mode_allocation
    union all
    select profile, flow, item_code, 'goods', 5, goods_pct from reference.mode_allocation
    union all
    select profile, flow, item_code, 'out_of_scope', 6, out_of_scope_pct from reference.mode_allocation
),

flow as (
    select 'export' as flow
    union all
    select 'import' as flow
),

-- A share for both flows serves each; one that names a flow serves that flow only, never the other.
flow_share as (
    select
        profile_share.profile,
        flow.flow,
        profile_share.item_code,
        profile_share.mode,
        profile_share.mode_order,
        profile_share.share_pct
    from profile_share
    inner join flow on profile_share.stated_flow in ('both', flow.flow)
),

-- A survey of the city itself (DM-6, in dollars or yuan; a survey in another currency is of another economy),
-- the latest period, world total where given and otherwise the sum of partners.
survey_total as (
    select
        survey.item_code,
        survey.flow,
        survey.mode,
        survey.period_start_date,
        coalesce(
            sum(survey.value) filter (where partner.partner_kind = 'world'),
            sum(survey.value) filter (where coalesce(partner.partner_kind, 'country') in ('country', 'not_specified'))
        ) as value
    from core.mode_survey as survey
    left join reference.partners as partner on partner.partner_code = survey.partner_code
    where survey.mode in ('1', '2', '4')
      and survey.currency_code in ('USD', 'CNY')
      and survey.value >= 0
    group by survey.item_code, survey.flow, survey.mode, survey.period_start_date
),

survey_share as (
    select
        item_code,
        flow,
        mode,
        cast(mode as integer) as mode_order,
        cast(
            100 * cast(value as double) / nullif(cast(sum(value) over (partition by item_code, flow) as double), 0)
            as decimal(9, 6)
        ) as share_pct
    from (
        select
            *,
            max(period_start_date) over (partition by item_code, flow) as latest_start_date
        from survey_total
    ) as dated
    where period_start_date = latest_start_date
),

-- Where a share may come from, in order: local survey, the profile itself, the profile that it falls back on.
source_share as (
    select profile.profile, 1 as source_order, 'local' as alloc_basis, profile.profile as share_profile,
        survey_share.flow, survey_share.item_code, survey_share.mode, survey_share.mode_order, survey_share.share_pct
    from reference.mode_profiles as profile
    cross join survey_share
    where survey_share.share_pct is not null
    union all
    select profile.profile, 2, 'profile', flow_share.profile,
        flow_share.flow, flow_share.item_code, flow_share.mode, flow_share.mode_order, flow_share.share_pct
    from reference.mode_profiles as profile
    inner join flow_share on flow_share.profile = profile.profile
    union all
    select profile.profile, 3, 'fallback', flow_share.profile,
        flow_share.flow, flow_share.item_code, flow_share.mode, flow_share.mode_order, flow_share.share_pct
    from reference.mode_profiles as profile
    inner join flow_share on flow_share.profile = profile.fallback_profile
),

-- Each item takes its shares where they are stated most closely: at the item itself or the nearest one above.
-- The total S above all items is not asked: a mix of everything says nothing of one item.
candidate as (
    select
        source_share.profile,
        item.item_code,
        source_share.flow,
        source_share.mode,
        source_share.mode_order,
        source_share.share_pct,
        source_share.alloc_basis,
        source_share.item_code as share_item_code,
        source_share.share_profile,
        dense_rank() over (
            partition by source_share.profile, item.item_code, source_share.flow
            order by source_share.source_order, item.distance
        ) as nearness
    from core.item_ancestor as item
    inner join source_share on source_share.item_code = item.ancestor_code
    where item.ancestor_level >= 1
)

select
    profile,
    item_code,
    flow,
    mode,
    share_pct,
    alloc_basis,
    share_item_code,
    share_profile,
    mode_order
from candidate
where nearness = 1
  and share_pct > 0
order by profile, item_code, flow, mode_order
