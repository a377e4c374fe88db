-- table:  core.goods_trade
-- title:  货物进出口 / Goods trade by source (customs DM-2; BoP basis DM-1)
-- grain:  one row per month (or January-February), source and flow
-- reads:  validated.department_cell, core.bop_services, core.exchange_rate
-- column: month_start_date | date | first day of the month; February for January and February in one figure
-- column: period_kind | varchar | month, or months_1_2: counts in the year to date only, never as February
-- column: source | varchar | customs or safe
-- column: flow | varchar | export or import
-- column: amount_usd | decimal(24,4) | US dollars, unrounded; empty where the month has no rate
-- column: amount_cny | decimal(24,4) | yuan, unrounded; empty where the month has no rate
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
        max(number) filter (where field = 'export') as export_amount,
        max(line_id) filter (where field = 'export') as export_line_id,
        max(number) filter (where field = 'import') as import_amount,
        max(line_id) filter (where field = 'import') as import_line_id
    from validated.department_cell
    where form_code = 'DM-2'
    group by sequence, submission_id, sheet, row_number
),

flow_row as (
    select sequence, submission_id, sheet, row_number, department, period_code, period_start_date, currency_code,
        'export' as flow, cast(export_amount * unit_multiplier as decimal(24, 4)) as amount, export_line_id as line_id
    from table_row
    where export_amount is not null
    union all
    select sequence, submission_id, sheet, row_number, department, period_code, period_start_date, currency_code,
        'import' as flow, cast(import_amount * unit_multiplier as decimal(24, 4)) as amount, import_line_id as line_id
    from table_row
    where import_amount is not null
),

latest as (
    select
        *,
        row_number() over (
            partition by period_code, flow, currency_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from flow_row
    where currency_code in ('USD', 'CNY')
      and (period_code = substr(cast(period_start_date as varchar), 1, 7) or period_code like '%-M01-02')
),

dated as (
    select
        *,
        case when period_code like '%-M01-02' then 'months_1_2' else 'month' end as period_kind
    from latest
    where recency = 1
),

-- January and February in one figure hold until both months are given on their own, by the same table or later.
joint_filed as (
    select
        flow,
        year(period_start_date) as year,
        max(sequence) as last_sequence
    from dated
    where period_kind = 'months_1_2'
    group by flow, year(period_start_date)
),

joint_in_force as (
    select
        joint.flow,
        joint.year
    from joint_filed as joint
    left join dated as single
        on single.flow = joint.flow
        and year(single.period_start_date) = joint.year
        and month(single.period_start_date) <= 2
        and single.period_kind = 'month'
        and single.sequence >= joint.last_sequence
    group by joint.flow, joint.year
    having count(distinct single.period_start_date) < 2
),

in_force as (
    select
        dated.*,
        case when dated.period_kind = 'months_1_2' then make_date(year(dated.period_start_date), 2, 1) else dated.period_start_date end as month_start_date
    from dated
    left join joint_in_force as joint
        on joint.flow = dated.flow
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

customs as (
    select
        month_start_date,
        period_kind,
        flow,
        max(amount) filter (where currency_code = 'USD') as declared_usd,
        max(amount) filter (where currency_code = 'CNY') as declared_cny,
        max(department) as department,
        coalesce(
            max(line_id) filter (where currency_code = 'USD'),
            max(line_id) filter (where currency_code = 'CNY')
        ) as line_id
    from in_force
    group by month_start_date, period_kind, flow
),

goods as (
    select
        customs.month_start_date,
        customs.period_kind,
        'customs' as source,
        customs.flow,
        coalesce(customs.declared_usd, cast(customs.declared_cny * yuan.usd_per_unit as decimal(24, 4))) as amount_usd,
        coalesce(customs.declared_cny, cast(customs.declared_usd * dollar.cny_per_unit as decimal(24, 4))) as amount_cny,
        customs.department,
        customs.line_id
    from customs
    left join rate as yuan
        on yuan.period_kind = customs.period_kind and yuan.month_start_date = customs.month_start_date and yuan.currency_code = 'CNY'
    left join rate as dollar
        on dollar.period_kind = customs.period_kind and dollar.month_start_date = customs.month_start_date and dollar.currency_code = 'USD'
    union all
    select
        month_start_date,
        period_kind,
        'safe' as source,
        flow,
        amount_usd,
        amount_cny,
        department,
        line_id
    from core.bop_services
    where item_code = 'G'
)

select
    month_start_date,
    period_kind,
    source,
    flow,
    amount_usd,
    amount_cny,
    department,
    line_id
from goods
order by month_start_date, source, flow
