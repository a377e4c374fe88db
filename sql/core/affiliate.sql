-- table:  core.affiliate
-- title:  附属机构（模式三） / Foreign affiliates with their sales of a year (FM-4)
-- grain:  one row per accepted return and row of the form, whichever of several sheets of a period counts
-- reads:  validated.affiliate_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: sequence | bigint | order of arrival: of the accepted sheets of one enterprise, direction and period the latest counts
-- column: period_code | varchar | period of the figures
-- column: period_start_date | date | its first day
-- column: direction | varchar | outward or inward
-- column: flow | varchar | export for outward, import for inward
-- column: affiliate_name | varchar | as typed
-- column: partner_code | varchar | economy of the affiliate (outward) or of the investor (inward)
-- column: industry_code | varchar | GB/T 4754-2017
-- column: holding_share_pct | decimal(30,10) | share held, per cent
-- column: sales_usd | decimal(24,4) | sales of the year, US dollars at the mean of the twelve monthly rates of the period; empty if one of them is missing
-- column: sales_cny | decimal(24,4) | sales of the year, yuan, likewise
-- column: sales_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: services_usd | decimal(24,4) | of which services, US dollars at the mean of the twelve monthly rates of the period; empty if one of them is missing
-- column: services_cny | decimal(24,4) | of which services, yuan, likewise
-- column: services_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: employee_count | decimal(30,10) | persons
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/commercial_presence.md
with rate as (
    select
        make_date(year(month_start_date), 1, 1) as period_start_date,
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 12 as decimal(18, 8)) as cny_per_unit,
        cast(cast(sum(usd_per_unit) as double) / 12 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    group by make_date(year(month_start_date), 1, 1), currency_code
    having count(*) = 12
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.sequence,
    line.sheet_period_code as period_code,
    line.sheet_period_start_date as period_start_date,
    line.direction,
    case line.direction when 'outward' then 'export' when 'inward' then 'import' end as flow,
    line.affiliate_name,
    line.partner_code,
    line.industry_code,
    line.holding_share_pct,
    case
        when line.currency_code = 'USD' then cast(line.sales_revenue * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.sales_revenue * line.unit_multiplier as decimal(24, 4)) * rate.usd_per_unit as decimal(24, 4))
    end as sales_usd,
    case
        when line.currency_code = 'CNY' then cast(line.sales_revenue * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.sales_revenue * line.unit_multiplier as decimal(24, 4)) * rate.cny_per_unit as decimal(24, 4))
    end as sales_cny,
    line.sales_revenue_state as sales_state,
    case
        when line.currency_code = 'USD' then cast(line.services_revenue * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.services_revenue * line.unit_multiplier as decimal(24, 4)) * rate.usd_per_unit as decimal(24, 4))
    end as services_usd,
    case
        when line.currency_code = 'CNY' then cast(line.services_revenue * line.unit_multiplier as decimal(24, 4))
        else cast(cast(line.services_revenue * line.unit_multiplier as decimal(24, 4)) * rate.cny_per_unit as decimal(24, 4))
    end as services_cny,
    line.services_revenue_state as services_state,
    line.employee_count,
    line.line_id
from validated.affiliate_line as line
left join rate
    on rate.period_start_date = line.sheet_period_start_date
    and rate.currency_code = line.currency_code
where line.month_start_date = $month_start_date
order by line.enterprise_code, line.sheet_period_start_date, line.line_id
