-- table:  core.person_movement
-- title:  自然人移动 / Movement of natural persons in a half-year (FM-5)
-- grain:  one row per accepted return and row of the form, whichever of several sheets of a period counts
-- reads:  validated.person_movement_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: of the accepted sheets of one enterprise, direction and period the latest counts
-- column: period_code | varchar | period of the figures
-- column: period_start_date | date | its first day
-- column: flow | varchar | export (sent abroad) or import (received)
-- column: item_code | varchar | EBOPS 2010 item
-- column: partner_code | varchar | economy to or from which they moved
-- column: person_count | decimal(30,10) | persons
-- column: person_days | decimal(30,10) | days worked, all persons together
-- column: contract_usd | decimal(24,4) | value of the contracts, US dollars at the mean of the six monthly rates of the period; empty if one of them is missing
-- column: contract_cny | decimal(24,4) | value of the contracts, yuan, likewise
-- column: contract_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: remuneration_usd | decimal(24,4) | pay of the persons, US dollars at the mean of the six monthly rates of the period; empty if one of them is missing
-- column: remuneration_cny | decimal(24,4) | pay of the persons, yuan, likewise
-- column: remuneration_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/person_movement.md
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
    line.direction as flow,
    line.item_code,
    line.partner_code,
    line.person_count,
    line.person_days,
    case
        when line.currency_code = 'USD' then cast(line.contract_amount * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.contract_amount * line.unit_multiplier as decimal(24, 4)) * rate.usd_per_unit as decimal(24, 4))
    end as contract_usd,
    case
        when line.currency_code = 'CNY' then cast(line.contract_amount * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.contract_amount * line.unit_multiplier as decimal(24, 4)) * rate.cny_per_unit as decimal(24, 4))
    end as contract_cny,
    line.contract_amount_state as contract_state,
    case
        when line.currency_code = 'USD' then cast(line.remuneration * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.remuneration * line.unit_multiplier as decimal(24, 4)) * rate.usd_per_unit as decimal(24, 4))
    end as remuneration_usd,
    case
        when line.currency_code = 'CNY' then cast(line.remuneration * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.remuneration * line.unit_multiplier as decimal(24, 4)) * rate.cny_per_unit as decimal(24, 4))
    end as remuneration_cny,
    line.remuneration_state,
    line.line_id
from validated.person_movement_line as line
left join rate
    on rate.period_start_date = line.sheet_period_start_date
    and rate.currency_code = line.currency_code
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.sheet_period_start_date, line.line_id
