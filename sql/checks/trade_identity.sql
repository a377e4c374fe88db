-- table:  checks.trade_identity
-- title:  服务进出口各表之间的平衡关系 / Identities between the tables of service trade
-- grain:  one row per source, scope, measure, period and currency of indicators.trade_total
-- reads:  indicators.trade_total, indicators.trade_by_item, indicators.trade_by_partner, indicators.trade_by_district, indicators.trade_by_mode
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report or safe
-- column: scope | varchar | all, excluding_travel or knowledge_intensive
-- column: measure | varchar | total, exports, imports or balance
-- column: period | varchar | month or ytd
-- column: currency_code | varchar | USD or CNY
-- column: amount | double | of indicators.trade_total
-- column: total_gap | double | total less exports and imports; empty for other measures
-- column: balance_gap | double | balance less exports plus imports; empty for other measures
-- column: item_gap | double | amount less the twelve items; direct reports, whole scope, not of balances
-- column: partner_gap | double | amount less the partners; direct reports, whole scope, not of balances
-- column: district_gap | double | amount less the districts; direct reports, whole scope, not of balances
-- column: largest_mode_gap | double | largest difference to the sum over modes of any profile; direct reports, whole scope
-- method: docs/rules.md
with total as (
    select *
    from indicators.trade_total
    where month_start_date = $month_start_date
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
item as (
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
mode as (
    select
        t.source,
        t.measure,
        t.period,
        t.currency_code,
        max(abs(t.amount - m.amount)) as largest_gap
    from total as t
    inner join mode_of_profile as m
        on m.source = t.source
        and m.measure = t.measure
        and m.period = t.period
        and m.currency_code = t.currency_code
    where t.scope = 'all'
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
    case when t.measure = 'total' then cast(t.amount - (s.exports + s.imports) as double) end as total_gap,
    case when t.measure = 'balance' then cast(t.amount - (s.exports - s.imports) as double) end as balance_gap,
    -- A partner that only sells has no balance of its own, so balances of parts need not add up; exports and imports do.
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - i.amount as double)
    end as item_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - p.amount as double)
    end as partner_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' and t.measure <> 'balance'
            then cast(t.amount - d.amount as double)
    end as district_gap,
    case
        when t.source = 'direct_report' and t.scope = 'all' then cast(m.largest_gap as double)
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
