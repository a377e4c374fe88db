-- table:  core.exchange_rate
-- title:  月平均汇率 / Average exchange rates of the month
-- grain:  one row per month and currency
-- reads:  validated.department_cell
-- column: month_start_date | date | first day of the month of the rate
-- column: currency_code | varchar | ISO 4217; USD and CNY are always among them when the month has a US dollar rate
-- column: cny_per_unit | decimal(18,8) | yuan per currency unit: mean of the central parities filed for the month
-- column: usd_per_unit | decimal(18,16) | US dollars per currency unit: its yuan rate over that of the dollar
-- column: quote_count | bigint | rates filed for the month: 1 where a monthly average was filed
-- method: docs/methods/exchange_rate.md
with quote_row as (
    select
        submission_id,
        sequence,
        sheet,
        row_number,
        max(code) filter (where field = 'currency_code') as currency_code,
        max(number) filter (where field = 'rate') as rate,
        max(number) filter (where field = 'per') as per,
        max(day) filter (where field = 'day') as quote_date,
        max(period_code) as period_code,
        max(period_start_date) as period_start_date
    from validated.department_cell
    where form_code = 'DM-3'
    group by submission_id, sequence, sheet, row_number
),

quote as (
    select
        currency_code,
        cast(date_trunc('month', coalesce(quote_date, period_start_date)) as date) as month_start_date,
        quote_date,
        -- Divided as doubles on purpose: decimal division differs between engines, and sixteen digits carry more
        -- than the eight decimals kept.
        cast(cast(rate as double) / cast(coalesce(per, 1) as double) as decimal(18, 8)) as cny_per_unit,
        -- Filed again, a day or a monthly average replaces itself.
        row_number() over (
            partition by currency_code, quote_date is null, coalesce(quote_date, period_start_date)
            order by sequence desc, submission_id desc, sheet desc, row_number desc
        ) as recency
    from quote_row
    where currency_code is not null
      and rate > 0
      and (per is null or per > 0)
      -- A rate of a year or a quarter is no month's average.
      and (quote_date is not null or period_code = substr(cast(period_start_date as varchar), 1, 7))
),

yuan_rate as (
    select
        currency_code,
        month_start_date,
        quote_date is null as is_monthly_average,
        cast(cast(sum(cny_per_unit) as double) / cast(count(*) as double) as decimal(18, 8)) as cny_per_unit,
        count(*) as quote_count
    from quote
    where recency = 1
    group by currency_code, month_start_date, quote_date is null
),

-- A monthly average that was filed goes before the mean of the days.
chosen as (
    select
        currency_code,
        month_start_date,
        cny_per_unit,
        quote_count,
        row_number() over (partition by currency_code, month_start_date order by is_monthly_average desc) as preference
    from yuan_rate
    where currency_code <> 'CNY'
),

with_yuan as (
    select currency_code, month_start_date, cny_per_unit, quote_count
    from chosen
    where preference = 1
    union all
    select 'CNY' as currency_code, month_start_date, cast(1 as decimal(18, 8)) as cny_per_unit, quote_count
    from chosen
    where preference = 1 and currency_code = 'USD'
)

select
    with_yuan.month_start_date,
    with_yuan.currency_code,
    with_yuan.cny_per_unit,
    case
        when with_yuan.currency_code = 'USD' then cast(1 as decimal(18, 16))
        else cast(cast(with_yuan.cny_per_unit as double) / cast(dollar.cny_per_unit as double) as decimal(18, 16))
    end as usd_per_unit,
    with_yuan.quote_count
from with_yuan
left join with_yuan as dollar
    on dollar.month_start_date = with_yuan.month_start_date
    and dollar.currency_code = 'USD'
order by with_yuan.month_start_date, with_yuan.currency_code
