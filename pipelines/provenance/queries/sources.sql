-- Each leaf with the cell, the file and the filer it came from, and whether cell, unit and rate give its amount.
-- is_traced: what stands in the cell, times the unit, times the month's rate, is the line's amount to the last digit.
with touched as (
    select distinct submission_id
    from leaf
),

cell as (
    select submission_id, form_code, sheet, section, row_number, cell, field, text, number, code, state
    from raw.return_cell
    where submission_id in (select submission_id from touched)
    union all
    select submission_id, form_code, sheet, section, row_number, cell, field, text, number, code, state
    from raw.department_cell
    where submission_id in (select submission_id from touched)
),

sheet_unit as (
    select submission_id, sheet, max(code) as unit
    from cell
    where section = 'head' and field = 'unit'
    group by submission_id, sheet
),

row_unit as (
    select submission_id, sheet, row_number, max(coalesce(code, text)) as unit
    from cell
    where section = 'row' and field = 'unit'
    group by submission_id, sheet, row_number
),

source_cell as (
    select
        cell.submission_id,
        cell.submission_id || '/' || cell.sheet || '!' || cell.cell as line_id,
        cell.form_code,
        cell.sheet,
        cell.cell,
        cell.text,
        cell.number,
        coalesce(row_unit.unit, sheet_unit.unit) as filed_unit
    from cell
    left join sheet_unit on sheet_unit.submission_id = cell.submission_id and sheet_unit.sheet = cell.sheet
    left join row_unit
        on row_unit.submission_id = cell.submission_id
        and row_unit.sheet = cell.sheet
        and row_unit.row_number = cell.row_number
    where cell.section = 'row'
),

rate as (
    select month_start_date, 'month' as rate_kind, currency_code, cny_per_unit, usd_per_unit
    from core.exchange_rate
    union all
    select
        make_date(year(month_start_date), 2, 1),
        'months_1_2',
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)),
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16))
    from core.exchange_rate
    where month(month_start_date) <= 2
    group by year(month_start_date), currency_code
    having count(*) = 2
    union all
    select
        make_date(year(month_start_date), 1, 1),
        'year',
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 12 as decimal(18, 8)),
        cast(cast(sum(usd_per_unit) as double) / 12 as decimal(18, 16))
    from core.exchange_rate
    group by year(month_start_date), currency_code
    having count(*) = 12
),

enterprise as (
    select
        enterprise_code,
        max_by(enterprise_name, coalesce(from_month_start_date, date '1900-01-01')) as enterprise_name
    from raw.enterprise
    group by enterprise_code
),

sourced as (
    select
        leaf.*,
        source_cell.form_code,
        source_cell.sheet,
        source_cell.cell,
        source_cell.text,
        source_cell.number,
        coalesce(unit.unit_code, source_cell.filed_unit) as unit_code,
        coalesce(unit.label_zh, source_cell.filed_unit) as unit_zh,
        coalesce(unit.label_en, source_cell.filed_unit) as unit_en,
        unit.unit_multiplier,
        unit.currency_code as unit_currency_code,
        case
            when leaf.rate_kind in ('number', 'count') then null
            when leaf.rate_kind = 'filed' or unit.currency_code = $currency_code then 1
            when $currency_code = 'USD' then rate.usd_per_unit
            when $currency_code = 'CNY' then rate.cny_per_unit
        end as rate,
        submission.file_name,
        submission.version,
        submission.sha256,
        submission.department,
        enterprise.enterprise_name
    from leaf
    left join source_cell on source_cell.line_id = leaf.line_id
    left join reference.units as unit
        on unit.unit_code = source_cell.filed_unit or unit.label_zh = source_cell.filed_unit
    left join rate
        on rate.month_start_date = leaf.month_start_date
        and rate.rate_kind = leaf.rate_kind
        and rate.currency_code = unit.currency_code
    left join raw.submission as submission on submission.submission_id = leaf.submission_id
    left join enterprise on enterprise.enterprise_code = leaf.enterprise_code
)

select
    *,
    case
        when rate_kind = 'count' then true
        when rate_kind = 'number' then coalesce(cast(number as decimal(24, 6)) = line_amount, false)
        else coalesce(
            case
                when rate = 1 then cast(number * unit_multiplier as decimal(24, 4))
                else cast(cast(number * unit_multiplier as decimal(24, 4)) * rate as decimal(24, 4))
            end = line_amount,
            false
        )
    end as is_traced
from sourced
