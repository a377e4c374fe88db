-- table:  checks.tcm_service
-- title:  中医药服务各行的事实 / Facts about each row of FM-7
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.tcm_service_line, raw.enterprise_profile, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-7
-- column: sheet | varchar | sheet as named in the file
-- column: kind_cell | varchar | cell of the kind of service
-- column: revenue_cell | varchar | cell of the revenue; of the kind where that is blank
-- column: remote_cell | varchar | cell of the remote revenue; of the revenue where that is blank
-- column: lowest_cell | varchar | cell of the lowest figure of the row
-- column: fraction_cell | varchar | cell of the first count that is not whole; of the visits where all are
-- column: business_key | varchar | enterprise/kind
-- column: subject_zh | varchar | kind
-- column: subject_en | varchar | kind
-- column: subject_period | varchar | quarter of the figures, 2025-Q1
-- column: remark | varchar | 说明
-- column: kind_zh | varchar | kind of service
-- column: kind_en | varchar | the same
-- column: visit_count | double | visits of foreign patients
-- column: revenue | double | declared unit
-- column: remote_revenue | double | declared unit
-- column: remote_above_revenue | double | remote revenue less revenue; positive is too much
-- column: lowest_figure | double | the lowest of the five figures
-- column: fraction | double | the first count that is not whole; empty where all are
-- column: are_counts_whole | boolean | visits, trainees and institutions are whole numbers; empty where none is given
-- column: largest_in_currency_units | double | size of the larger of revenue and remote revenue, currency units
-- column: same_kind_count | bigint | rows of the return with the kind and quarter, for all but the first of them; else 1
-- column: is_marked_tcm | boolean | FM-1 of this return, else the latest accepted of twelve months, marks the enterprise 中医药; empty where none says
-- column: revenue_per_visit_cny | double | revenue that is not remote over visits of a medical row, yuan at the rate of the return's month; empty without visits or rate
-- column: has_something_behind | boolean | visits, trainees, institutions abroad or remote revenue stand beside a revenue above zero; empty without revenue
-- method: docs/rules.md
with line as (
    select
        l.*,
        row_number() over (partition by l.submission_id, l.service_kind, l.sheet_period_code order by l.sheet, l.row_number) as kind_place,
        count(*) over (partition by l.submission_id, l.service_kind, l.sheet_period_code) as kind_count,
        least(l.visit_count, l.trainee_count, l.institution_count, l.revenue, l.remote_revenue) as lowest,
        l.visit_count <> floor(l.visit_count) as is_visit_broken,
        l.trainee_count <> floor(l.trainee_count) as is_trainee_broken,
        l.institution_count <> floor(l.institution_count) as is_institution_broken
    from raw.tcm_service_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
own_profile as (
    select submission_id, is_tcm
    from raw.enterprise_profile
    where month_start_date = $month_start_date
      and is_tcm is not null
),
earlier_profile as (
    select
        p.enterprise_code,
        p.is_tcm,
        row_number() over (partition by p.enterprise_code order by p.month_start_date desc, p.submission_id) as place
    from raw.enterprise_profile as p
    inner join raw.submission as s on s.submission_id = p.submission_id
    where s.is_current_accepted
      and p.is_tcm is not null
      and p.month_start_date < $month_start_date
      and p.month_start_date >= $month_start_date - interval 12 month
),
rate as (
    select currency_code, cny_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
),
kind as (
    select 'medical' as service_kind, '医疗服务' as kind_zh, 'medical services' as kind_en
    union all
    select 'education', '教育培训', 'education and training'
    union all
    select 'research', '科研合作', 'research'
    union all
    select 'wellness', '健康养生', 'wellness'
    union all
    select 'culture', '文化传播', 'culture and publishing'
    union all
    select 'other', '其他', 'other services'
)
select
    l.month_start_date,
    l.submission_id,
    'FM-7' as form_code,
    l.sheet,
    l.service_kind_cell as kind_cell,
    coalesce(l.revenue_cell, l.service_kind_cell) as revenue_cell,
    coalesce(l.remote_revenue_cell, l.revenue_cell, l.service_kind_cell) as remote_cell,
    case
        when l.visit_count = l.lowest then l.visit_count_cell
        when l.trainee_count = l.lowest then l.trainee_count_cell
        when l.institution_count = l.lowest then l.institution_count_cell
        when l.revenue = l.lowest then l.revenue_cell
        else l.remote_revenue_cell
    end as lowest_cell,
    case
        when l.is_visit_broken then l.visit_count_cell
        when l.is_trainee_broken then l.trainee_count_cell
        when l.is_institution_broken then l.institution_count_cell
        else l.visit_count_cell
    end as fraction_cell,
    l.enterprise_code || '/' || coalesce(l.service_kind, '') as business_key,
    coalesce(kind.kind_zh, '种类未填') as subject_zh,
    coalesce(kind.kind_en, 'no kind') as subject_en,
    l.sheet_period_code as subject_period,
    l.remark,
    kind.kind_zh,
    kind.kind_en,
    cast(l.visit_count as double) as visit_count,
    cast(l.revenue as double) as revenue,
    cast(l.remote_revenue as double) as remote_revenue,
    cast(l.remote_revenue - l.revenue as double) as remote_above_revenue,
    cast(l.lowest as double) as lowest_figure,
    cast(
        case
            when l.is_visit_broken then l.visit_count
            when l.is_trainee_broken then l.trainee_count
            when l.is_institution_broken then l.institution_count
        end as double
    ) as fraction,
    case
        when l.visit_count is null and l.trainee_count is null and l.institution_count is null then null
        else not (coalesce(l.is_visit_broken, false) or coalesce(l.is_trainee_broken, false) or coalesce(l.is_institution_broken, false))
    end as are_counts_whole,
    cast(greatest(abs(l.revenue), abs(l.remote_revenue)) as double) * cast(l.unit_multiplier as double) as largest_in_currency_units,
    case when l.service_kind is not null and l.kind_place > 1 then l.kind_count else 1 end as same_kind_count,
    coalesce(own.is_tcm, earlier.is_tcm) as is_marked_tcm,
    case
        when l.service_kind = 'medical' and l.visit_count > 0 and l.revenue > 0
            then (cast(l.revenue as double) - case when l.remote_revenue is null then 0 else cast(l.remote_revenue as double) end)
                * cast(l.unit_multiplier as double)
                * case when l.currency_code = 'CNY' then 1 else cast(r.cny_per_unit as double) end
                / cast(l.visit_count as double)
    end as revenue_per_visit_cny,
    case
        when l.revenue > 0
            then coalesce(l.visit_count > 0, false) or coalesce(l.trainee_count > 0, false)
                or coalesce(l.institution_count > 0, false) or coalesce(l.remote_revenue > 0, false)
                or coalesce(l.visit_count_state = 'withheld', false) or coalesce(l.trainee_count_state = 'withheld', false)
    end as has_something_behind
from line as l
left join own_profile as own on own.submission_id = l.submission_id
left join earlier_profile as earlier on earlier.enterprise_code = l.enterprise_code and earlier.place = 1
left join rate as r on r.currency_code = l.currency_code
left join kind on kind.service_kind = l.service_kind
order by l.submission_id, l.sheet, l.row_number
