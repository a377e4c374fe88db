-- table:  indicators.tcm_services
-- title:  中医药服务贸易（季度） / Trade in services of traditional Chinese medicine, by quarter
-- grain:  one row per quarter, kind of service, measure and currency
-- reads:  core.tcm_service
-- column: period_code | varchar | quarter, 2025-Q1
-- column: period_start_date | date | its first day
-- column: service_kind | varchar | all, medical, education, research, wellness, culture or other
-- column: measure | varchar | visit_count, trainee_count, institution_count, revenue or remote_revenue
-- column: currency_code | varchar | USD, CNY, or empty for counts
-- column: amount | decimal(30,4) | currency units, visits, trainees or institutions; empty when an enterprise withheld it or a rate is missing
-- column: enterprise_count | bigint | enterprises that gave a figure
-- method: docs/methods/tcm_services.md
with latest as (
    select
        *,
        max(sequence) over (partition by enterprise_code, period_code) as latest_sequence
    from core.tcm_service
),

line as (
    select *
    from latest
    where sequence = latest_sequence
),

figure as (
    select enterprise_code, period_code, period_start_date, service_kind, 'visit_count' as measure, '' as currency_code,
        cast(visit_count as decimal(30, 4)) as amount, visit_count is not null as is_given
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'trainee_count', '', cast(trainee_count as decimal(30, 4)), trainee_count is not null
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'institution_count', '', cast(institution_count as decimal(30, 4)), institution_count is not null
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'revenue', 'USD', cast(revenue_usd as decimal(30, 4)), revenue_state in ('value', 'zero', 'withheld')
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'revenue', 'CNY', cast(revenue_cny as decimal(30, 4)), revenue_state in ('value', 'zero', 'withheld')
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'remote_revenue', 'USD', cast(remote_revenue_usd as decimal(30, 4)), remote_revenue_state in ('value', 'zero', 'withheld')
    from line
    union all
    select enterprise_code, period_code, period_start_date, service_kind, 'remote_revenue', 'CNY', cast(remote_revenue_cny as decimal(30, 4)), remote_revenue_state in ('value', 'zero', 'withheld')
    from line
),

by_kind as (
    select * from figure where is_given
    union all
    select enterprise_code, period_code, period_start_date, 'all' as service_kind, measure, currency_code, amount, is_given
    from figure
    where is_given
)

select
    period_code,
    period_start_date,
    service_kind,
    measure,
    nullif(currency_code, '') as currency_code,
    -- Blank adds nothing; a figure that is there and cannot be known (withheld, no rate) leaves the sum unknown.
    cast(case when count(*) = count(amount) then sum(amount) end as decimal(30, 4)) as amount,
    count(distinct enterprise_code) as enterprise_count
from by_kind
group by period_code, period_start_date, service_kind, measure, currency_code
order by period_start_date, service_kind, measure, currency_code
