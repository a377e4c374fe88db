-- table:  checks.trade_mode
-- title:  分模式表中的模式 / Modes in the table by mode of supply
-- grain:  one row per profile and mode of indicators.trade_by_mode
-- reads:  indicators.trade_by_mode, reference.columns, reference.mode_profiles
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: profile | varchar | mode-share profile
-- column: mode | varchar | as in the table
-- column: is_mode_of_allocation | boolean | the allocation (reference.mode_allocation) has a share of this mode
-- column: is_profile_known | boolean | the profile is in reference.mode_profiles
-- method: docs/rules.md
with admitted as (
    -- the modes are the columns of shares that the allocation table declares: mode_1_pct, goods_pct ...
    select replace(replace(column_name, 'mode_', ''), '_pct', '') as mode
    from reference.columns
    where file = 'mode_allocation.csv'
      and column_name like '%\_pct' escape '\'
),
found as (
    select distinct
        profile,
        mode
    from indicators.trade_by_mode
    where month_start_date = $month_start_date
)
select
    cast($month_start_date as date) as month_start_date,
    f.profile,
    f.mode,
    a.mode is not null as is_mode_of_allocation,
    p.profile is not null as is_profile_known
from found as f
left join admitted as a on a.mode = f.mode
left join reference.mode_profiles as p on p.profile = f.profile
order by f.profile, f.mode
