-- table:  core.bop_services
-- title:  国际收支口径服务贸易（外汇局） / Services on the balance-of-payments basis, and BoP goods beside (DM-1)
-- grain:  one row per month, item and flow
-- reads:  validated.department_cell, core.exchange_rate
-- column: month_start_date | date | first day of the month
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
            partition by period_start_date, item_code, flow, currency_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from flow_row
    where currency_code in ('USD', 'CNY')
      and item_code is not null
      and period_code = substr(cast(period_start_date as varchar), 1, 7)
),

side_by_side as (
    select
        period_start_date as month_start_date,
        item_code,
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
    group by period_start_date, item_code, flow
)

select
    side_by_side.month_start_date,
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
left join core.exchange_rate as yuan
    on yuan.month_start_date = side_by_side.month_start_date and yuan.currency_code = 'CNY'
left join core.exchange_rate as dollar
    on dollar.month_start_date = side_by_side.month_start_date and dollar.currency_code = 'USD'
order by side_by_side.month_start_date, side_by_side.item_code, side_by_side.flow
