-- table:  checks.outsourcing_identity
-- title:  服务外包各项之和 / Parts of the outsourcing table against its totals
-- grain:  one row per source, measure, period and currency
-- reads:  indicators.outsourcing
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | direct_report
-- column: measure | varchar | contract or executed
-- column: period | varchar | month or ytd
-- column: currency_code | varchar | USD or CNY
-- column: shore_gap | double | all less offshore and onshore
-- column: type_gap | double | all types less ITO, BPO and KPO
-- method: docs/rules.md
with part_sum as (
    select
        month_start_date,
        source,
        measure,
        period,
        currency_code,
        count(*) filter (where scope = 'all' and outsourcing_type = 'all' and amount is null) as unknown_count,
        sum(amount) filter (where scope = 'all' and outsourcing_type = 'all') as amount,
        sum(amount) filter (where scope <> 'all' and outsourcing_type = 'all') as shore_amount,
        sum(amount) filter (where scope = 'all' and outsourcing_type <> 'all') as type_amount
    from indicators.outsourcing
    where month_start_date = $month_start_date
    group by month_start_date, source, measure, period, currency_code
)
select
    month_start_date,
    source,
    measure,
    period,
    currency_code,
    -- A check is the one place where a missing part is nothing: left out, it must show as a gap and not hide one.
    -- A total that is there without a figure is unknown, and nothing is compared with it.
    case
        when unknown_count = 0 then cast(coalesce(amount, 0) - coalesce(shore_amount, 0) as double)
    end as shore_gap,
    case
        when unknown_count = 0 then cast(coalesce(amount, 0) - coalesce(type_amount, 0) as double)
    end as type_gap
from part_sum
order by source, measure, period, currency_code
