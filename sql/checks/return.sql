-- table:  checks.return
-- title:  每份直报表的事实 / Facts about each return
-- grain:  one row per current return
-- reads:  raw.submission, raw.return_cell, raw.enterprise, raw.service_trade_line
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | form on which the credit code stands
-- column: sheet | varchar | sheet on which the credit code stands
-- column: cell | varchar | cell of the credit code
-- column: period_form_code | varchar | form on which the period stands
-- column: period_sheet | varchar | sheet on which the period stands
-- column: period_cell | varchar | cell of the period
-- column: zero_form_code | varchar | form on which the box 本月无业务 is ticked, else where the period stands
-- column: zero_sheet | varchar | sheet of that
-- column: zero_cell | varchar | cell of that
-- column: mark_form_code | varchar | form on which a second return without mark is asked about
-- column: mark_sheet | varchar | sheet of that
-- column: mark_cell | varchar | the filing type where the return came in its due month; the period where it came later, since then the period may be wrong
-- column: business_key | varchar | enterprise
-- column: subject_zh | varchar | the enterprise's name as written on the return
-- column: subject_en | varchar | the same
-- column: enterprise_code | varchar | unified social credit code as read
-- column: period_text | varchar | reference month, 2026-03; of a file without a monthly form its period: 2025, 2025-H1, 2025-Q1
-- column: received_date | varchar | day of arrival in China, 2026-04-08
-- column: credit_code_length | bigint | characters of the code
-- column: credit_code_expected_check | varchar | check character that the first 17 call for (GB 32100-2015); — where they cannot be read
-- column: is_credit_code_valid | boolean | 18 characters of the alphabet, the last one right; empty when no code was read
-- column: is_in_register | boolean | the register has the enterprise, now or until a declared stop; empty when the code is not valid
-- column: register_status | varchar | registered, not_yet, stopped or unknown
-- column: is_month_to_come | boolean | received before the reference month (or the year, half-year or quarter) began
-- column: is_month_unfinished | boolean | received before it was over
-- column: is_unmarked_resubmission | boolean | an accepted return of the period exists and this one is not marked 更正
-- column: filed_period | varchar | period of this return: 2020-02, or 2020-M01-02 for January and February together
-- column: overlapping_periods | varchar | periods of the accepted returns that share a month with this one and are of another period: 2020-01, 2020-02; empty if there are none
-- column: is_period_free | boolean | no accepted return of another period shares a month with this one, or one of this period is accepted already
-- column: has_business_after_stop | boolean | the register says that the enterprise had stopped, and amounts above zero are reported
-- column: business_month_count_before_zero | bigint | for a zero return: months with business among the twelve before
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code,
        month_start_date,
        period_start_date,
        period_kind,
        is_zero_return,
        is_revision,
        supersedes_submission_id,
        cast(received_at + interval 8 hour as date) as received_date
    from raw.submission
    where kind = 'return'
      and is_current
      and month_start_date = $month_start_date
),
head as (
    select
        c.submission_id,
        c.form_code,
        c.sheet,
        c.cell,
        c.field,
        c.text,
        row_number() over (
            partition by c.submission_id, c.field
            order by case when c.form_code = 'FM-2' then 0 else 1 end, c.form_code, c.sheet, c.row_number, c.cell
        ) as position
    from raw.return_cell as c
    inner join filed as f on f.submission_id = c.submission_id
    where c.month_start_date = $month_start_date
      and c.section = 'head'
      and c.field in ('enterprise_code', 'enterprise_name', 'reference_month', 'is_zero_return', 'is_revision')
),
-- GB 32100-2015: value of a character is its place in an alphabet without I, O, S, V and Z; weights are powers of 3.
code_sum as (
    select
        submission_id,
        length(enterprise_code) as code_length,
        least(
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 1, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 2, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 3, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 4, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 5, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 6, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 7, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 8, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 9, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 10, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 11, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 12, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 13, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 14, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 15, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 16, 1)),
            strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 17, 1))
        ) as least_place,
        1 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 1, 1)) - 1)
        + 3 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 2, 1)) - 1)
        + 9 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 3, 1)) - 1)
        + 27 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 4, 1)) - 1)
        + 19 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 5, 1)) - 1)
        + 26 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 6, 1)) - 1)
        + 16 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 7, 1)) - 1)
        + 17 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 8, 1)) - 1)
        + 20 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 9, 1)) - 1)
        + 29 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 10, 1)) - 1)
        + 25 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 11, 1)) - 1)
        + 13 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 12, 1)) - 1)
        + 8 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 13, 1)) - 1)
        + 24 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 14, 1)) - 1)
        + 10 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 15, 1)) - 1)
        + 30 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 16, 1)) - 1)
        + 28 * (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(enterprise_code, 17, 1)) - 1)
            as weighted_sum
    from filed
),
credit_code as (
    select
        submission_id,
        code_length,
        case
            when code_length >= 17 and least_place > 0
                then substr('0123456789ABCDEFGHJKLMNPQRTUWXY', (31 - weighted_sum % 31) % 31 + 1, 1)
        end as expected_check
    from code_sum
),
register as (
    select
        f.submission_id,
        count(*) filter (
            where (e.from_month_start_date is null or e.from_month_start_date <= f.month_start_date)
              and (e.to_month_start_date is null or e.to_month_start_date >= f.month_start_date)
        ) as covering_count,
        count(*) filter (where e.to_month_start_date < f.month_start_date) as ended_count
    from filed as f
    inner join raw.enterprise as e on e.enterprise_code = f.enterprise_code
    group by f.submission_id
),
standing as (
    select
        f.submission_id,
        case
            when r.submission_id is null then 'unknown'
            when r.covering_count > 0 then 'registered'
            when r.ended_count > 0 then 'stopped'
            else 'not_yet'
        end as register_status
    from filed as f
    left join register as r on r.submission_id = f.submission_id
),
-- January and February filed together and filed singly speak of the same months.
overlapping as (
    select
        f.submission_id,
        -- Two at most: a joint return overlaps January and February, a single month only the joint one.
        case when min(p.period) = max(p.period) then min(p.period) else min(p.period) || ', ' || max(p.period) end as periods
    from filed as f
    inner join (
        select
            enterprise_code,
            period_start_date,
            month_start_date,
            period_kind,
            case
                when period_kind = 'months_1_2' then extract(year from month_start_date) || '-M01-02'
                else substr(cast(month_start_date as varchar), 1, 7)
            end as period
        from raw.submission
        where kind = 'return'
          and is_current_accepted
          and period_kind in ('month', 'months_1_2')
    ) as p
        on p.enterprise_code = f.enterprise_code
        and p.period_kind <> f.period_kind
        and p.period_start_date <= f.month_start_date
        and p.month_start_date >= f.period_start_date
    -- affiliates of a year filed on their own speak of no month
    where f.period_kind in ('month', 'months_1_2')
    group by f.submission_id
),
business as (
    select
        l.submission_id,
        count(*) filter (where l.amount > 0) as positive_count
    from raw.service_trade_line as l
    inner join filed as f on f.submission_id = l.submission_id
    where l.month_start_date = $month_start_date
    group by l.submission_id
),
earlier_business as (
    select
        l.enterprise_code,
        count(distinct l.month_start_date) as business_month_count
    from raw.service_trade_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.amount > 0
      and l.month_start_date >= $month_start_date - interval 12 month
      and l.month_start_date < $month_start_date
      and l.enterprise_code in (select enterprise_code from filed where is_zero_return)
    group by l.enterprise_code
)
select
    f.month_start_date,
    f.submission_id,
    coalesce(code_head.form_code, period_head.form_code) as form_code,
    coalesce(code_head.sheet, period_head.sheet) as sheet,
    code_head.cell as cell,
    period_head.form_code as period_form_code,
    period_head.sheet as period_sheet,
    period_head.cell as period_cell,
    coalesce(zero_head.form_code, period_head.form_code) as zero_form_code,
    coalesce(zero_head.sheet, period_head.sheet) as zero_sheet,
    coalesce(zero_head.cell, period_head.cell) as zero_cell,
    case when a.is_due_month then mark_head.form_code else period_head.form_code end as mark_form_code,
    case when a.is_due_month then mark_head.sheet else period_head.sheet end as mark_sheet,
    case when a.is_due_month then mark_head.cell else period_head.cell end as mark_cell,
    f.enterprise_code as business_key,
    name_head.text as subject_zh,
    name_head.text as subject_en,
    f.enterprise_code,
    case f.period_kind
        when 'year' then cast(year(f.period_start_date) as varchar)
        when 'half_year'
            then cast(year(f.period_start_date) as varchar) || case when month(f.period_start_date) = 1 then '-H1' else '-H2' end
        when 'quarter' then cast(year(f.period_start_date) as varchar)
            || case month(f.period_start_date) when 1 then '-Q1' when 4 then '-Q2' when 7 then '-Q3' else '-Q4' end
        else substr(cast(f.month_start_date as varchar), 1, 7)
    end as period_text,
    cast(f.received_date as varchar) as received_date,
    cast(c.code_length as bigint) as credit_code_length,
    coalesce(c.expected_check, '—') as credit_code_expected_check,
    case
        when f.enterprise_code <> ''
            then c.code_length = 18
                and c.expected_check is not null
                and substr(f.enterprise_code, 18, 1) = c.expected_check
    end as is_credit_code_valid,
    case
        when c.code_length = 18 and substr(f.enterprise_code, 18, 1) = c.expected_check
            then t.register_status in ('registered', 'stopped')
    end as is_in_register,
    t.register_status,
    f.received_date < a.first_date as is_month_to_come,
    f.received_date >= a.first_date
        and f.received_date < f.month_start_date + interval 1 month as is_month_unfinished,
    f.supersedes_submission_id is not null and not coalesce(f.is_revision, false) as is_unmarked_resubmission,
    case
        when f.period_kind = 'months_1_2' then extract(year from f.month_start_date) || '-M01-02'
        else substr(cast(f.month_start_date as varchar), 1, 7)
    end as filed_period,
    o.periods as overlapping_periods,
    -- a correction of a return that is itself accepted adds no overlap
    o.submission_id is null or f.supersedes_submission_id is not null as is_period_free,
    t.register_status = 'stopped' and coalesce(b.positive_count, 0) > 0 as has_business_after_stop,
    case when f.is_zero_return then coalesce(e.business_month_count, 0) end as business_month_count_before_zero
from filed as f
inner join credit_code as c on c.submission_id = f.submission_id
inner join standing as t on t.submission_id = f.submission_id
left join head as code_head
    on code_head.submission_id = f.submission_id and code_head.field = 'enterprise_code' and code_head.position = 1
left join head as name_head
    on name_head.submission_id = f.submission_id and name_head.field = 'enterprise_name' and name_head.position = 1
left join head as period_head
    on period_head.submission_id = f.submission_id and period_head.field = 'reference_month' and period_head.position = 1
left join head as mark_head
    on mark_head.submission_id = f.submission_id and mark_head.field = 'is_revision' and mark_head.position = 1
inner join (
    select
        d.submission_id,
        -- January and February together are asked about as of February, a year as of its first month
        case when d.period_kind in ('month', 'months_1_2') then d.month_start_date else d.period_start_date end as first_date,
        d.received_date < d.month_start_date + interval 2 month and m.cell is not null as is_due_month
    from filed as d
    left join head as m on m.submission_id = d.submission_id and m.field = 'is_revision' and m.position = 1
) as a on a.submission_id = f.submission_id
left join head as zero_head
    on zero_head.submission_id = f.submission_id and zero_head.field = 'is_zero_return' and zero_head.position = 1
left join overlapping as o on o.submission_id = f.submission_id
left join business as b on b.submission_id = f.submission_id
left join earlier_business as e on e.enterprise_code = f.enterprise_code
order by f.submission_id
