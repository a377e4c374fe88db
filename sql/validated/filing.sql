-- table:  validated.filing
-- title:  审核通过的报表 / Accepted returns: the current accepted version of each enterprise
-- grain:  one row per accepted current return
-- reads:  raw.submission, raw.enterprise
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: period_start_date | date | first day of the period on the form
-- column: period_kind | varchar | month or months_1_2
-- column: is_zero_return | boolean | 零报: the enterprise says that it had no business
-- column: is_late | boolean | after the deadline
-- method: docs/methods/filing.md
with accepted as (
    select
        submission_id,
        sequence,
        enterprise_code,
        month_start_date,
        period_start_date,
        period_kind,
        is_zero_return,
        is_late
    from raw.submission
    where kind = 'return'
      and is_current_accepted
      and period_kind in ('month', 'months_1_2')
),

-- A January-February return and returns for January or February alone speak of the same business. A joint return
-- holds until both months have been filed on their own after it: one of them alone would lose the other.
joint_in_force as (
    select joint.*
    from accepted as joint
    where joint.period_kind = 'months_1_2'
      and (
          select count(distinct single.month_start_date)
          from accepted as single
          where single.enterprise_code = joint.enterprise_code
            and single.period_kind = 'month'
            and single.month_start_date >= joint.period_start_date
            and single.month_start_date <= joint.month_start_date
            and single.sequence > joint.sequence
      ) < 2
),

in_force as (
    select single.*
    from accepted as single
    where single.period_kind = 'month'
      and not exists (
          select 1
          from joint_in_force as joint
          where joint.enterprise_code = single.enterprise_code
            and single.month_start_date >= joint.period_start_date
            and single.month_start_date <= joint.month_start_date
      )
    union all
    select *
    from joint_in_force
),

district as (
    select
        enterprise_code,
        max(district_code) as district_code
    from raw.enterprise
    where (from_month_start_date is null or from_month_start_date <= $month_start_date)
      and (to_month_start_date is null or to_month_start_date >= $month_start_date)
    group by enterprise_code
)

select
    in_force.month_start_date,
    in_force.enterprise_code,
    district.district_code,
    in_force.submission_id,
    in_force.period_start_date,
    in_force.period_kind,
    in_force.is_zero_return,
    in_force.is_late
from in_force
left join district on district.enterprise_code = in_force.enterprise_code
where in_force.month_start_date = $month_start_date
order by in_force.enterprise_code, in_force.submission_id
