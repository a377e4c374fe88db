-- table:  checks.trade_identity
-- title:  服务进出口各表之间的平衡关系 / Identities between the tables of service trade
-- grain:  one row per source, scope, measure, period and currency of indicators.trade_total, and of its breakdowns where it has none
-- reads:  reference.mode_profiles, indicators.trade_total, indicators.trade_by_item, indicators.trade_by_partner, indicators.trade_by_district, indicators.trade_by_mode
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report or safe
-- column: scope | varchar | all, excluding_travel or knowledge_intensive
-- column: measure | varchar | total, exports, imports or balance
-- column: period | varchar | month or ytd
-- column: currency_code | varchar | USD or CNY
-- column: amount | double | of indicators.trade_total; 0 where it lacks the row that a breakdown has
-- column: total_gap | double | total less exports and imports; empty for other measures
-- column: balance_gap | double | balance less exports plus imports; empty for other measures
-- column: item_gap | double | amount less the twelve items; direct reports, whole scope, not of balances
-- column: partner_gap | double | amount less the partners; direct reports, whole scope, not of balances
-- column: district_gap | double | amount less the districts; direct reports, whole scope, not of balances
-- column: largest_mode_gap | double | largest difference to the sum over modes of any profile; direct reports, whole scope, not of balances
-- method: docs/rules.md
with item as (
    select source, measure, period, currency_code, sum(amount) as amount
    from indicators.trade_by_item
    where month_start_date = $month_start_date
    group by source, measure, period, currency_code
),
partner as (
    select source, measure, period, currency_code, sum(amount) as amount
    from indicators.trade_by_partner
    where month_start_date = $month_start_date
    group by source, measure, period, currency_code
),
district as (
    select source, measure, period, currency_code, sum(amount) as amount
    from indicators.trade_by_district
    where month_start_date = $month_start_date
    group by source, measure, period, currency_code
),
mode_of_profile as (
    select source, profile, measure, period, currency_code, sum(amount) as amount
    from indicators.trade_by_mode
    where month_start_date = $month_start_date
    group by source, profile, measure, period, currency_code
),
-- What the breakdowns have and the totals lack is compared too: a total left out wholesale would pass.
key as (
    select source, scope, measure, period, currency_code
    from indicators.trade_total
    where month_start_date = $month_start_date
    union
    select source, 'all' as scope, measure, period, currency_code from item where amount is not null
    union
    select source, 'all' as scope, measure, period, currency_code from partner where amount is not null
    union
    select source, 'all' as scope, measure, period, currency_code from district where amount is not null
    union
    select source, 'all' as scope, measure, period, currency_code from mode_of_profile where amount is not null
),
total as (
    select
        cast($month_start_date as date) as month_start_date,
        k.source,
        k.scope,
        k.measure,
        k.period,
        k.currency_code,
        case when t.source is null then 0 else t.amount end as amount
    from key as k
    left join indicators.trade_total as t
        on t.month_start_date = $month_start_date
        and t.source = k.source
        and t.scope = k.scope
        and t.measure = k.measure
        and t.period = k.period
        and t.currency_code = k.currency_code
),
side as (
    select
        source,
        scope,
        period,
        currency_code,
        sum(amount) filter (where measure = 'exports') as exports,
        sum(amount) filter (where measure = 'imports') as imports
    from total
    group by source, scope, period, currency_code
),
mode as (
    -- under every profile there is, not those that happen to have rows
    select
        t.source,
        t.measure,
        t.period,
        t.currency_code,
        max(abs(t.amount - coalesce(m.amount, 0))) as largest_gap
    from total as t
    cross join reference.mode_profiles as p
    left join mode_of_profile as m
        on m.profile = p.profile
        and m.source = t.source
        and m.measure = t.measure
        and m.period = t.period
        and m.currency_code = t.currency_code
    where t.scope = 'all'
      and t.source = 'direct_report'
    group by t.source, t.measure, t.period, t.currency_code
)
select
    t.month_start_date,
    t.source,
    t.scope,
    t.measure,
    t.period,
    t.currency_code,
    cast(t.amount as double) as amount,
    -- A check is the one place where a missing part is nothing: left out, it must show as a gap and not hide one. A
    -- total without a figure is unknown, and nothing is compared with it.
    case when t.measure = 'total' then cast(t.amount - (coalesce(s.exports, 0) + coalesce(s.imports, 0)) as double) end as total_gap,
    case when t.measure = 'balance' then cast(t.amount - (coalesce(s.exports, 0) - coalesce(s.imports, 0)) as double) end as balance_gap,
    -- A partner that only sells has no balance of its own, so balances of parts need not add up; exports and imports do.
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - coalesce(i.amount, 0) as double)
    end as item_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - coalesce(p.amount, 0) as double)
    end as partner_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - coalesce(d.amount, 0) as double)
    end as district_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(m.largest_gap as double)
    end as largest_mode_gap
from total as t
inner join side as s
    on s.source = t.source and s.scope = t.scope and s.period = t.period and s.currency_code = t.currency_code
left join item as i
    on i.source = t.source and i.measure = t.measure and i.period = t.period and i.currency_code = t.currency_code
left join partner as p
    on p.source = t.source and p.measure = t.measure and p.period = t.period and p.currency_code = t.currency_code
left join district as d
    on d.source = t.source and d.measure = t.measure and d.period = t.period and d.currency_code = t.currency_code
left join mode as m
    on m.source = t.source and m.measure = t.measure and m.period = t.period and m.currency_code = t.currency_code
order by t.source, t.scope, t.measure, t.period, t.currency_code
