-- table:  estimates.mode_share
-- title:  各项目四种模式比例 / Share of each mode of supply by item, flow and profile, found at the most detailed item
-- grain:  one row per profile, item, flow and mode with a share above zero, as known in the month
-- reads:  core.item_ancestor, core.mode_survey, reference.mode_allocation, reference.mode_profiles, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the month to which the shares are applied
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

-- A survey of the city itself (DM-6, in dollars or yuan; a survey in another currency is of another economy). It
-- is applied from the first month of its own period on; of each item and flow the latest such period.
survey as (
    select
        item_code,
        flow,
        mode,
        partner_code,
        currency_code,
        period_start_date,
        state,
        value * unit_multiplier as amount,
        max(period_start_date) over (partition by item_code, flow) as latest_start_date
    from core.mode_survey
    where mode in ('1', '2', '4')
      and currency_code in ('USD', 'CNY')
      and period_start_date <= $month_start_date
),

-- World or partners, and dollars or yuan, are chosen once for all modes of an item: parts of different wholes have
-- no common denominator. The world goes before the sum of partners, dollars before yuan.
survey_basis as (
    select
        survey.*,
        coalesce(partner.partner_kind, 'country') = 'world' as is_world
    from survey
    left join reference.partners as partner on partner.partner_code = survey.partner_code
    where survey.period_start_date = survey.latest_start_date
      and coalesce(partner.partner_kind, 'country') in ('world', 'country', 'not_specified')
),

survey_chosen as (
    select *
    from (
        select
            *,
            dense_rank() over (
                partition by item_code, flow
                order by is_world desc, currency_code desc
            ) as preference
        from survey_basis
    ) as ranked
    where preference = 1
),

-- The modes that the survey asks for at all; an item for which one of them is withheld or missing, for the world
-- or for one partner of several, has no shares: the others would seem larger than they are.
survey_mode as (
    select
        period_start_date,
        count(distinct mode) as mode_count
    from survey
    group by period_start_date
),

survey_usable as (
    select
        chosen.item_code,
        chosen.flow
    from survey_chosen as chosen
    inner join survey_mode on survey_mode.period_start_date = chosen.period_start_date
    group by chosen.item_code, chosen.flow
    having count(*) filter (where chosen.state not in ('value', 'zero', 'not_applicable') or chosen.amount < 0) = 0
       and count(distinct coalesce(chosen.partner_code, '') || '/' || chosen.mode)
       = max(survey_mode.mode_count) * count(distinct coalesce(chosen.partner_code, ''))
),

survey_share as (
    select
        total.item_code,
        total.flow,
        total.mode,
        cast(total.mode as integer) as mode_order,
        cast(
            100 * cast(total.amount as double)
            / nullif(cast(sum(total.amount) over (partition by total.item_code, total.flow) as double), 0)
            as decimal(9, 6)
        ) as share_pct
    from (
        select
            chosen.item_code,
            chosen.flow,
            chosen.mode,
            coalesce(sum(chosen.amount), 0) as amount
        from survey_chosen as chosen
        inner join survey_usable as usable on usable.item_code = chosen.item_code and usable.flow = chosen.flow
        group by chosen.item_code, chosen.flow, chosen.mode
    ) as total
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
    $month_start_date as month_start_date,
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
