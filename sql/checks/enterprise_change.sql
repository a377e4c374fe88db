-- table:  checks.enterprise_change
-- title:  各企业同比变化的离群检验 / Enterprises that changed unlike the others (Hidiroglou-Berthelot)
-- grain:  one row per flow and enterprise with an amount above zero in this month and in the same month last year
-- reads:  core.service_trade
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: flow | varchar | export or import
-- column: enterprise_code | varchar | unified social credit code
-- column: current_usd | double | this month, US dollars
-- column: previous_usd | double | the same month last year, US dollars
-- column: ratio | double | current_usd over previous_usd
-- column: median_ratio | double | of all enterprises of the flow
-- column: effect | double | size-weighted distance from the median ratio; above zero: grew more than the others
-- column: inner_lower | double | beyond the inner bounds a figure is kept out of means
-- column: inner_upper | double | likewise
-- column: outer_lower | double | beyond the outer bounds an enterprise is an outlier
-- column: outer_upper | double | likewise
-- column: enterprise_count | bigint | enterprises compared
-- column: is_outlier | boolean | beyond an outer bound; empty with fewer than eight enterprises
-- column: is_excluded | boolean | beyond an inner bound; empty with fewer than eight enterprises
-- method: docs/methods/slips.md
with amount as (
    select
        enterprise_code,
        flow,
        month_start_date,
        cast(sum(amount_usd) as double) as amount_usd
    from core.service_trade
    where month_start_date = $month_start_date
       or month_start_date = $month_start_date - interval 12 month
    group by enterprise_code, flow, month_start_date
    having count(amount_usd) = count(*)
),
pair as (
    select
        now.flow,
        now.enterprise_code,
        now.amount_usd as current_usd,
        before.amount_usd as previous_usd,
        now.amount_usd / nullif(before.amount_usd, 0) as ratio
    from amount as now
    inner join amount as before on before.enterprise_code = now.enterprise_code and before.flow = now.flow
    where now.month_start_date = $month_start_date
      and before.month_start_date = $month_start_date - interval 12 month
      and now.amount_usd > 0
      and before.amount_usd > 0
),
ratio_ranked as (
    select
        flow,
        ratio,
        row_number() over (partition by flow order by ratio, enterprise_code) as place,
        count(*) over (partition by flow) as enterprise_count
    from pair
),
middle as (
    select
        flow,
        avg(ratio) as median_ratio
    from ratio_ranked
    where 2 * place between enterprise_count and enterprise_count + 2
    group by flow
),
-- Symmetric about the median: a halving weighs like a doubling; then by the root of size.
effect as (
    select
        p.*,
        m.median_ratio,
        case
            when p.ratio < m.median_ratio then 1 - m.median_ratio / nullif(p.ratio, 0)
            else p.ratio / nullif(m.median_ratio, 0) - 1
        end * sqrt(case when p.current_usd >= p.previous_usd then p.current_usd else p.previous_usd end) as effect
    from pair as p
    inner join middle as m on m.flow = p.flow
),
effect_ranked as (
    select
        flow,
        effect,
        row_number() over (partition by flow order by effect, enterprise_code) as place,
        count(*) over (partition by flow) as enterprise_count
    from effect
),
-- Weibull's quartiles: the value at rank p(n + 1), between neighbours in proportion, never outside the values.
rank_wanted as (
    select
        flow,
        enterprise_count,
        case when 0.25 * (enterprise_count + 1) < 1 then 1.0 else 0.25 * (enterprise_count + 1) end as lower_rank,
        0.5 * (enterprise_count + 1) as middle_rank,
        case
            when 0.75 * (enterprise_count + 1) > enterprise_count then enterprise_count * 1.0
            else 0.75 * (enterprise_count + 1)
        end as upper_rank
    from (select distinct flow, enterprise_count from effect_ranked) as counted
),
quartile as (
    select
        w.flow,
        w.enterprise_count,
        sum(case when abs(e.place - w.lower_rank) < 1 then e.effect * (1 - abs(e.place - w.lower_rank)) end) as lower_quartile,
        sum(case when abs(e.place - w.middle_rank) < 1 then e.effect * (1 - abs(e.place - w.middle_rank)) end) as median,
        sum(case when abs(e.place - w.upper_rank) < 1 then e.effect * (1 - abs(e.place - w.upper_rank)) end) as upper_quartile
    from rank_wanted as w
    inner join effect_ranked as e on e.flow = w.flow
    group by w.flow, w.enterprise_count
),
distance as (
    select
        flow,
        enterprise_count,
        median,
        case
            when median - lower_quartile >= abs(0.05 * median) then median - lower_quartile
            else abs(0.05 * median)
        end as left_distance,
        case
            when upper_quartile - median >= abs(0.05 * median) then upper_quartile - median
            else abs(0.05 * median)
        end as right_distance
    from quartile
),
bounded as (
    select
        flow,
        enterprise_count,
        median - 6 * left_distance as inner_lower,
        median + 6 * right_distance as inner_upper,
        median - 10 * left_distance as outer_lower,
        median + 10 * right_distance as outer_upper
    from distance
)
select
    cast($month_start_date as date) as month_start_date,
    e.flow,
    e.enterprise_code,
    e.current_usd,
    e.previous_usd,
    e.ratio,
    e.median_ratio,
    e.effect,
    b.inner_lower,
    b.inner_upper,
    b.outer_lower,
    b.outer_upper,
    b.enterprise_count,
    case when b.enterprise_count >= 8 then e.effect < b.outer_lower or e.effect > b.outer_upper end as is_outlier,
    case when b.enterprise_count >= 8 then e.effect < b.inner_lower or e.effect > b.inner_upper end as is_excluded
from effect as e
inner join bounded as b on b.flow = e.flow
order by e.flow, e.enterprise_code
