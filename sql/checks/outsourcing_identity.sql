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
select
    month_start_date,
    source,
    measure,
    period,
    currency_code,
    cast(
        sum(amount) filter (where scope = 'all' and outsourcing_type = 'all')
        - sum(amount) filter (where scope <> 'all' and outsourcing_type = 'all') as double
    ) as shore_gap,
    cast(
        sum(amount) filter (where scope = 'all' and outsourcing_type = 'all')
        - sum(amount) filter (where scope = 'all' and outsourcing_type <> 'all') as double
    ) as type_gap
from indicators.outsourcing
where month_start_date = $month_start_date
group by month_start_date, source, measure, period, currency_code
order by source, measure, period, currency_code
