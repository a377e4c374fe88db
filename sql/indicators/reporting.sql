-- table:  indicators.reporting
-- title:  直报企业报送情况 / Reporting by the enterprises of the register
-- grain:  one row per district, and one for all
-- reads:  raw.submission, raw.enterprise, indicators.trade_total
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: district_code | varchar | district, or all
-- column: expected_count | bigint | 应报: enterprises on the register for the month
-- column: filed_count | bigint | 已报: with a readable return
-- column: accepted_count | bigint | 审核通过: with an accepted return, zero returns included
-- column: queried_count | bigint | filed and waiting for confirmation, none accepted
-- column: rejected_count | bigint | filed and returned, none accepted
-- column: zero_return_count | bigint | 零报: accepted and without business
-- column: late_count | bigint | 迟报: first filed after the deadline
-- column: not_filed_count | bigint | 未报
-- column: response_rate_pct | double | 报送率: filed of expected, per cent
-- column: acceptance_rate_pct | double | 审核通过率: accepted of filed, per cent
-- column: direct_report_usd | decimal(24,4) | total of direct reports in the month (all districts only)
-- column: safe_usd | decimal(24,4) | total services of DM-1 in the month (all districts only)
-- column: coverage_pct | double | 覆盖率: direct reports over SAFE, per cent (all districts only)
-- method: docs/methods/reporting.md
with expected as (
    select
        enterprise_code,
        max(district_code) as district_code
    from raw.enterprise
    where (from_month_start_date is null or from_month_start_date <= $month_start_date)
      and (to_month_start_date is null or to_month_start_date >= $month_start_date)
    group by enterprise_code
),

-- Readable returns that speak of the month: its own, and a January-February return for either month.
version as (
    select
        enterprise_code,
        sequence,
        status,
        is_current,
        is_current_accepted,
        is_zero_return,
        is_late,
        row_number() over (partition by enterprise_code order by sequence) as place
    from raw.submission
    where kind = 'return'
      and status <> 'unreadable'
      and (
          (period_kind = 'month' and month_start_date = $month_start_date)
          or (
              period_kind = 'months_1_2'
              and period_start_date <= $month_start_date
              and month_start_date >= $month_start_date
          )
      )
),

state as (
    select
        enterprise_code,
        max(case when is_current_accepted then 1 else 0 end) as accepted,
        max(case when is_current_accepted and is_zero_return then 1 else 0 end) as accepted_zero,
        max(case when is_current and status = 'queries' then 1 else 0 end) as queried,
        max(case when place = 1 and is_late then 1 else 0 end) as late
    from version
    group by enterprise_code
),

enterprise as (
    select
        expected.enterprise_code,
        expected.district_code,
        state.enterprise_code is not null as is_filed,
        coalesce(state.accepted, 0) = 1 as is_accepted,
        coalesce(state.accepted_zero, 0) = 1 as is_zero,
        coalesce(state.accepted, 0) = 0 and coalesce(state.queried, 0) = 1 as is_queried,
        coalesce(state.late, 0) = 1 as is_late
    from expected
    left join state on state.enterprise_code = expected.enterprise_code
),

place as (
    select enterprise_code, coalesce(district_code, '') as district_code, is_filed, is_accepted, is_zero, is_queried, is_late
    from enterprise
    union all
    select enterprise_code, 'all' as district_code, is_filed, is_accepted, is_zero, is_queried, is_late
    from enterprise
),

counted as (
    select
        district_code,
        count(*) as expected_count,
        count(*) filter (where is_filed) as filed_count,
        count(*) filter (where is_accepted) as accepted_count,
        count(*) filter (where is_queried) as queried_count,
        count(*) filter (where is_filed and not is_accepted and not is_queried) as rejected_count,
        count(*) filter (where is_zero) as zero_return_count,
        count(*) filter (where is_late) as late_count,
        count(*) filter (where not is_filed) as not_filed_count
    from place
    group by district_code
),

coverage as (
    select
        'all' as district_code,
        max(amount) filter (where source = 'direct_report') as direct_report_usd,
        max(amount) filter (where source = 'safe') as safe_usd
    from indicators.trade_total
    where month_start_date = $month_start_date
      and measure = 'total'
      and scope = 'all'
      and period = 'month'
      and currency_code = 'USD'
)

select
    $month_start_date as month_start_date,
    nullif(counted.district_code, '') as district_code,
    counted.expected_count,
    counted.filed_count,
    counted.accepted_count,
    counted.queried_count,
    counted.rejected_count,
    counted.zero_return_count,
    counted.late_count,
    counted.not_filed_count,
    100 * cast(counted.filed_count as double) / nullif(cast(counted.expected_count as double), 0) as response_rate_pct,
    100 * cast(counted.accepted_count as double) / nullif(cast(counted.filed_count as double), 0) as acceptance_rate_pct,
    coverage.direct_report_usd,
    coverage.safe_usd,
    case
        when coverage.safe_usd > 0
            then 100 * cast(coverage.direct_report_usd as double) / nullif(cast(coverage.safe_usd as double), 0)
    end as coverage_pct
from counted
left join coverage on coverage.district_code = counted.district_code
order by counted.district_code
