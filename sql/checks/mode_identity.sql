-- table:  checks.mode_identity
-- title:  模式分配不增不减 / The split over modes neither adds nor loses
-- grain:  one row per profile
-- reads:  estimates.service_trade_by_mode, core.service_trade, reference.mode_profiles
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: profile | varchar | mode-share profile
-- column: line_count | bigint | lines with an amount
-- column: unsplit_line_count | bigint | lines without any mode
-- column: unequal_line_count | bigint | lines whose modes do not add up to the line, in either currency, to the cent
-- column: uneven_share_count | bigint | lines whose shares do not add up to 100
-- method: docs/rules.md
with line as (
    select
        line_id,
        amount_usd,
        amount_cny
    from core.service_trade
    where month_start_date = $month_start_date
),
split as (
    select
        profile,
        line_id,
        sum(amount_usd) as amount_usd,
        sum(amount_cny) as amount_cny,
        sum(share_pct) as share_pct
    from estimates.service_trade_by_mode
    where month_start_date = $month_start_date
    group by profile, line_id
),
compared as (
    select
        p.profile,
        l.line_id,
        s.line_id is null as is_unsplit,
        -- A check is the one place where a missing part is nothing: left out, it must show as a gap and not hide one.
        coalesce(abs(l.amount_usd - coalesce(s.amount_usd, 0)) > 0.005, false)
            or coalesce(abs(l.amount_cny - coalesce(s.amount_cny, 0)) > 0.005, false) as is_unequal,
        s.line_id is not null and abs(coalesce(s.share_pct, 0) - 100) > 0.00001 as is_uneven
    -- every profile there is, not those that happen to have rows: one left out wholesale would pass
    from reference.mode_profiles as p
    cross join line as l
    left join split as s on s.profile = p.profile and s.line_id = l.line_id
)
select
    cast($month_start_date as date) as month_start_date,
    profile,
    count(*) as line_count,
    count(*) filter (where is_unsplit) as unsplit_line_count,
    count(*) filter (where is_unequal) as unequal_line_count,
    count(*) filter (where is_uneven) as uneven_share_count
from compared
group by profile
order by profile
