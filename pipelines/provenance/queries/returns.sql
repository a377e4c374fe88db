-- Leaves of a count of enterprises: each enterprise of the register, with the return that puts it into the count.
with expected as (
    select
        enterprise_code,
        max(district_code) as district_code
    from raw.enterprise
    where (from_month_start_date is null or from_month_start_date <= $last_date)
      and (to_month_start_date is null or to_month_start_date >= $last_date)
    group by enterprise_code
),

-- Readable returns that speak of the month: its own, and a January-February return for either month.
version as (
    select
        *,
        row_number() over (partition by enterprise_code order by sequence) as place
    from raw.submission
    where kind = 'return'
      and status <> 'unreadable'
      and (
          (period_kind = 'month' and month_start_date = $last_date)
          or (period_kind = 'months_1_2' and period_start_date <= $last_date and month_start_date >= $last_date)
      )
),

state as (
    select
        enterprise_code,
        max_by(submission_id, sequence) as latest_submission_id,
        max_by(submission_id, sequence) filter (where is_current_accepted) as accepted_submission_id,
        max_by(submission_id, sequence) filter (where is_current_accepted and is_zero_return) as zero_submission_id,
        max_by(submission_id, sequence) filter (where is_current and status = 'queries') as queried_submission_id,
        max_by(submission_id, sequence) filter (where place = 1 and is_late) as late_submission_id
    from version
    group by enterprise_code
),

enterprise as (
    select
        expected.enterprise_code,
        expected.district_code,
        state.latest_submission_id,
        state.accepted_submission_id,
        state.zero_submission_id,
        state.queried_submission_id,
        state.late_submission_id,
        case
            when state.enterprise_code is null then 'not_filed'
            when accepted_submission_id is not null then 'accepted'
            when queried_submission_id is not null then 'queried'
            else 'rejected'
        end as review
    from expected
    left join state on state.enterprise_code = expected.enterprise_code
)

select
    cast($last_date as date) as month_start_date,
    cast(null as varchar) as line_id,
    case
        when $counted = 'late' then late_submission_id
        when $counted = 'zero_return' then zero_submission_id
        when review = 'accepted' then accepted_submission_id
        when review = 'queried' then queried_submission_id
        else latest_submission_id
    end as submission_id,
    enterprise_code,
    cast(null as varchar) as flow,
    cast(null as varchar) as item_code,
    cast(null as varchar) as partner_code,
    'count' as rate_kind,
    cast(1 as decimal(30, 6)) as line_amount,
    cast(1 as decimal(30, 6)) as amount,
    cast(null as decimal(9, 6)) as share_pct,
    review as basis
from enterprise
where ($district_code = 'all' or coalesce(district_code, '') = $district_code)
  and (
      $counted = 'expected'
      or ($counted = 'filed' and review <> 'not_filed')
      or $counted = review
      or ($counted = 'zero_return' and zero_submission_id is not null)
      or ($counted = 'late' and late_submission_id is not null)
  )
