-- table:  core.mode_survey
-- title:  按模式调查数据 / Trade by mode as surveyed by a department or statistical office (DM-6)
-- grain:  one row per period, item, partner, mode, flow and currency
-- reads:  validated.department_cell
-- column: period_code | varchar | period of the survey, usually a year
-- column: period_start_date | date | first day of the period
-- column: item_code | varchar | EBOPS item; S is the total
-- column: partner_code | varchar | partner; W1 is the world
-- column: mode | varchar | 1, 2, 3 or 4; 1+2+4 where the survey prints that total
-- column: flow | varchar | export or import
-- column: value | decimal(30,10) | in the declared unit
-- column: state | varchar | value, zero, withheld or not_applicable
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: department | varchar | department that filed it
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/trade_by_mode.md
with table_row as (
    select
        sequence,
        submission_id,
        sheet,
        row_number,
        max(department) as department,
        max(period_code) as period_code,
        max(period_start_date) as period_start_date,
        max(unit_code) as unit_code,
        max(unit_multiplier) as unit_multiplier,
        max(currency_code) as currency_code,
        max(code) filter (where field = 'item_code') as item_code,
        max(code) filter (where field = 'partner_code') as partner_code,
        max(coalesce(code, text)) filter (where field = 'mode') as mode,
        max(code) filter (where field = 'flow') as flow,
        max(number) filter (where field = 'value') as value,
        max(state) filter (where field = 'value') as state,
        max(line_id) filter (where field = 'value') as line_id
    from validated.department_cell
    where form_code = 'DM-6'
    group by sequence, submission_id, sheet, row_number
),

latest as (
    select
        *,
        row_number() over (
            partition by period_code, item_code, partner_code, mode, flow, currency_code
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from table_row
    where state is not null
)

select
    period_code,
    period_start_date,
    item_code,
    partner_code,
    mode,
    flow,
    value,
    state,
    unit_code,
    unit_multiplier,
    currency_code,
    department,
    line_id
from latest
where recency = 1
order by period_start_date, period_code, flow, partner_code, item_code, mode
