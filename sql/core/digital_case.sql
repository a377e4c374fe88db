-- table:  core.digital_case
-- title:  数字贸易案例 / Cases of digital trade (FM-8)
-- grain:  one row per accepted return and row of the form, whichever of several sheets of a period counts
-- reads:  validated.digital_case_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: of the accepted sheets of one enterprise, direction and period the latest counts
-- column: period_code | varchar | period of the figures
-- column: period_start_date | date | its first day
-- column: case_name | varchar | as typed
-- column: delivery_mode | varchar | digitally_ordered, digitally_delivered or platform
-- column: item_code | varchar | EBOPS 2010 item
-- column: partner_code | varchar | economy of the other side
-- column: annual_usd | decimal(24,4) | value of a year, US dollars at the mean of the six monthly rates of the period; empty if one of them is missing
-- column: annual_cny | decimal(24,4) | value of a year, yuan, likewise
-- column: annual_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: summary | varchar | as typed
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/digital_case.md
with rate as (
    select
        make_date(year(month_start_date), case when month(month_start_date) <= 6 then 1 else 7 end, 1) as period_start_date,
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 6 as decimal(18, 8)) as cny_per_unit,
        cast(cast(sum(usd_per_unit) as double) / 6 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    group by make_date(year(month_start_date), case when month(month_start_date) <= 6 then 1 else 7 end, 1), currency_code
    having count(*) = 6
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.sequence,
    line.sheet_period_code as period_code,
    line.sheet_period_start_date as period_start_date,
    line.case_name,
    line.delivery_mode,
    line.item_code,
    line.partner_code,
    case
        when line.currency_code = 'USD' then cast(line.annual_amount * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.annual_amount * line.unit_multiplier as decimal(24, 4)) * rate.usd_per_unit as decimal(24, 4))
    end as annual_usd,
    case
        when line.currency_code = 'CNY' then cast(line.annual_amount * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.annual_amount * line.unit_multiplier as decimal(24, 4)) * rate.cny_per_unit as decimal(24, 4))
    end as annual_cny,
    line.annual_amount_state as annual_state,
    line.summary,
    line.line_id
from validated.digital_case_line as line
left join rate
    on rate.period_start_date = line.sheet_period_start_date
    and rate.currency_code = line.currency_code
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.sheet_period_start_date, line.line_id
