-- table:  core.goods_trade
-- title:  货物进出口 / Goods trade by source (customs DM-2; BoP basis DM-1)
-- grain:  one row per month, source and flow
-- reads:  validated.department_cell, core.bop_services, core.exchange_rate
-- column: month_start_date | date | first day of the month
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
            partition by period_start_date, flow, currency_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from flow_row
    where currency_code in ('USD', 'CNY')
      and period_code = substr(cast(period_start_date as varchar), 1, 7)
),

customs as (
    select
        period_start_date as month_start_date,
        flow,
        max(amount) filter (where currency_code = 'USD') as declared_usd,
        max(amount) filter (where currency_code = 'CNY') as declared_cny,
        max(department) as department,
        coalesce(
            max(line_id) filter (where currency_code = 'USD'),
            max(line_id) filter (where currency_code = 'CNY')
        ) as line_id
    from latest
    where recency = 1
    group by period_start_date, flow
),

goods as (
    select
        customs.month_start_date,
        'customs' as source,
        customs.flow,
        coalesce(customs.declared_usd, cast(customs.declared_cny * yuan.usd_per_unit as decimal(24, 4))) as amount_usd,
        coalesce(customs.declared_cny, cast(customs.declared_usd * dollar.cny_per_unit as decimal(24, 4))) as amount_cny,
        customs.department,
        customs.line_id
    from customs
    left join core.exchange_rate as yuan
        on yuan.month_start_date = customs.month_start_date and yuan.currency_code = 'CNY'
    left join core.exchange_rate as dollar
        on dollar.month_start_date = customs.month_start_date and dollar.currency_code = 'USD'
    union all
    select
        month_start_date,
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
    source,
    flow,
    amount_usd,
    amount_cny,
    department,
    line_id
from goods
order by month_start_date, source, flow
