-- table:  core.bop_services
-- title:  国际收支口径服务贸易（外汇局） / Services on the balance-of-payments basis, and BoP goods beside (DM-1)
-- grain:  one row per month (or January-February), item and flow
-- reads:  validated.department_cell, core.exchange_rate
-- column: month_start_date | date | first day of the month; February for January and February in one figure
-- column: period_kind | varchar | month, or months_1_2: counts in the year to date only, never as February
-- column: item_code | varchar | SA to SL; S services; G goods; GS goods and services
-- column: flow | varchar | export or import
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
-- column: is_usd_declared | boolean | the department gave US dollars; otherwise converted at the month's average rate
-- column: is_cny_declared | boolean | the department gave yuan
-- column: department | varchar | department that filed it
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/department_tables.md
with table_row as (
    select
        sequence,
        submission_id,
        sheet,
        row_number,
        max(department) as department,
        max(period_code) as period_code,
        max(period_start_date) as period_start_date,
        max(unit_multiplier) as unit_multiplier,
        max(currency_code) as currency_code,
        max(code) filter (where field = 'item_code') as item_code,
        max(number) filter (where field = 'credit') as credit,
        max(line_id) filter (where field = 'credit') as credit_line_id,
        max(number) filter (where field = 'debit') as debit,
        max(line_id) filter (where field = 'debit') as debit_line_id
    from validated.department_cell
    where form_code = 'DM-1'
    group by sequence, submission_id, sheet, row_number
),

flow_row as (
    select sequence, submission_id, sheet, row_number, department, period_code, period_start_date, currency_code, item_code,
        'export' as flow, cast(credit * unit_multiplier as decimal(24, 4)) as amount, credit_line_id as line_id
    from table_row
    where credit is not null
    union all
    select sequence, submission_id, sheet, row_number, department, period_code, period_start_date, currency_code, item_code,
        'import' as flow, cast(debit * unit_multiplier as decimal(24, 4)) as amount, debit_line_id as line_id
    from table_row
    where debit is not null
),

-- The latest table wins, for dollars and yuan each; SAFE prints both, and they are kept side by side.
latest as (
    select
        *,
        row_number() over (
            partition by period_code, item_code, flow, currency_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from flow_row
    where currency_code in ('USD', 'CNY')
      and item_code is not null
      and (period_code = substr(cast(period_start_date as varchar), 1, 7) or period_code like '%-M01-02')
),

dated as (
    select
        *,
        case when period_code like '%-M01-02' then 'months_1_2' else 'month' end as period_kind,
        case when item_code in ('G', 'GS') then item_code else 'S' end as account
    from latest
    where recency = 1
),

-- January and February in one figure hold until both months are given on their own, by the same table or later:
-- one way of counting for all services of a flow, so that a total is never set beside items of other months.
joint_filed as (
    select
        account,
        flow,
        year(period_start_date) as year,
        max(sequence) as last_sequence
    from dated
    where period_kind = 'months_1_2'
    group by account, flow, year(period_start_date)
),

joint_in_force as (
    select
        joint.account,
        joint.flow,
        joint.year
    from joint_filed as joint
    left join dated as single
        on single.account = joint.account
        and single.flow = joint.flow
        and year(single.period_start_date) = joint.year
        and month(single.period_start_date) <= 2
        and single.period_kind = 'month'
        and single.sequence >= joint.last_sequence
    group by joint.account, joint.flow, joint.year
    having count(distinct single.period_start_date) < 2
),

in_force as (
    select
        dated.*,
        case when dated.period_kind = 'months_1_2' then make_date(year(dated.period_start_date), 2, 1) else dated.period_start_date end as month_start_date
    from dated
    left join joint_in_force as joint
        on joint.account = dated.account
        and joint.flow = dated.flow
        and joint.year = year(dated.period_start_date)
    where (dated.period_kind = 'months_1_2' and joint.year is not null)
       or (dated.period_kind = 'month' and (joint.year is null or month(dated.period_start_date) > 2))
),

-- Two months together convert at the mean of their rates.
rate as (
    select 'month' as period_kind, month_start_date, currency_code, cny_per_unit, usd_per_unit
    from core.exchange_rate
    union all
    select
        'months_1_2' as period_kind,
        max(month_start_date) as month_start_date,
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)) as cny_per_unit,
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    where month(month_start_date) <= 2
    group by year(month_start_date), currency_code
    having count(*) = 2
),

side_by_side as (
    select
        month_start_date,
        period_kind,
        item_code,
        flow,
        max(amount) filter (where currency_code = 'USD') as declared_usd,
        max(amount) filter (where currency_code = 'CNY') as declared_cny,
        max(department) as department,
        coalesce(
            max(line_id) filter (where currency_code = 'USD'),
            max(line_id) filter (where currency_code = 'CNY')
        ) as line_id
    from in_force
    group by month_start_date, period_kind, item_code, flow
)

select
    side_by_side.month_start_date,
    side_by_side.period_kind,
    side_by_side.item_code,
    side_by_side.flow,
    coalesce(
        side_by_side.declared_usd,
        cast(side_by_side.declared_cny * yuan.usd_per_unit as decimal(24, 4))
    ) as amount_usd,
    coalesce(
        side_by_side.declared_cny,
        cast(side_by_side.declared_usd * dollar.cny_per_unit as decimal(24, 4))
    ) as amount_cny,
    side_by_side.declared_usd is not null as is_usd_declared,
    side_by_side.declared_cny is not null as is_cny_declared,
    side_by_side.department,
    side_by_side.line_id
from side_by_side
left join rate as yuan
    on yuan.period_kind = side_by_side.period_kind and yuan.month_start_date = side_by_side.month_start_date and yuan.currency_code = 'CNY'
left join rate as dollar
    on dollar.period_kind = side_by_side.period_kind and dollar.month_start_date = side_by_side.month_start_date and dollar.currency_code = 'USD'
order by side_by_side.month_start_date, side_by_side.item_code, side_by_side.flow
