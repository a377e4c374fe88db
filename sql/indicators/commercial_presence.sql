-- table:  indicators.commercial_presence
-- title:  商业存在（模式三，附属机构服务贸易） / Commercial presence (mode 3), annual, never in the totals
-- grain:  one row per source, year and flow: the two latest years known by the month
-- reads:  core.mode_survey, core.department_indicator, core.affiliate, core.exchange_rate, reference.department_series, reference.ebops_items, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: source | varchar | mode_survey, department or direct_report (FM-4)
-- column: year | integer | reference year of the figure
-- column: flow | varchar | export: sales of affiliates abroad (outward); import: sales of foreign affiliates here (inward)
-- column: amount | decimal(24,4) | in currency units, as filed; of direct reports in US dollars, since enterprises declare in several currencies
-- column: currency_code | varchar | currency of amount
-- column: amount_usd | decimal(24,4) | US dollars at the mean of the year's twelve monthly rates; empty if a rate is missing
-- column: amount_cny | decimal(24,4) | yuan, likewise
-- column: base_amount | decimal(24,4) | the year before, in the currency filed
-- column: growth_pct | double | per cent against the year before
-- column: is_latest | boolean | the latest year known by the month
-- column: department | varchar | department that filed it; empty for direct reports
-- column: affiliate_count | bigint | affiliates with a figure of direct reports; empty for other sources
-- column: unreported_count | bigint | affiliates whose sales of services are blank, withheld or not applicable, which add nothing; empty for other sources
-- method: docs/methods/commercial_presence.md
with yearly_rate as (
    select
        year(month_start_date) as year,
        currency_code,
        cast(cast(sum(cny_per_unit) as double) / 12 as decimal(18, 8)) as cny_per_unit,
        cast(cast(sum(usd_per_unit) as double) / 12 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    group by year(month_start_date), currency_code
    having count(*) = 12
),

series as (
    select distinct
        canonical_indicator,
        flow
    from reference.department_series
    where family = 'commercial_presence'
),

-- World totals of a survey where it prints them, the sum of its main items otherwise.
survey as (
    select
        'mode_survey' as source,
        survey.period_start_date,
        survey.flow,
        survey.currency_code,
        coalesce(
            sum(survey.value * survey.unit_multiplier) filter (where item.level = 0),
            sum(survey.value * survey.unit_multiplier) filter (where item.level = 1)
        ) as amount,
        max(survey.department) as department
    from core.mode_survey as survey
    inner join reference.ebops_items as item on item.item_code = survey.item_code
    inner join reference.partners as partner on partner.partner_code = survey.partner_code
    where survey.mode = '3'
      and survey.period_code not like '%-%'
      and partner.partner_kind = 'world'
    group by survey.period_start_date, survey.flow, survey.currency_code
),

-- The latest accepted sheet of an enterprise, direction and year that is known by the month; whichever file it
-- stands in, an earlier one of the same year and direction says nothing beside it.
affiliate as (
    select
        period_start_date,
        flow,
        services_usd,
        services_cny,
        services_state,
        sequence = max(sequence) over (partition by enterprise_code, direction, period_code) as is_latest
    from core.affiliate
    where month_start_date <= $month_start_date
      and flow is not null
),

-- A figure without a rate makes the sum in that currency empty; a blank or withheld one adds nothing and is counted.
direct_report as (
    select
        period_start_date,
        flow,
        case when count(services_usd) = count(*) filter (where services_state in ('value', 'zero')) then sum(services_usd) end
            as amount_usd,
        case when count(services_cny) = count(*) filter (where services_state in ('value', 'zero')) then sum(services_cny) end
            as amount_cny,
        count(*) filter (where services_state in ('value', 'zero')) as affiliate_count,
        count(*) filter (where services_state is null or services_state not in ('value', 'zero')) as unreported_count
    from affiliate
    where is_latest
    group by period_start_date, flow
    having count(*) filter (where services_state in ('value', 'zero')) > 0
),

annual as (
    select
        source,
        period_start_date,
        flow,
        currency_code,
        cast(amount as decimal(24, 4)) as amount,
        department,
        cast(null as decimal(24, 4)) as amount_cny,
        cast(null as bigint) as affiliate_count,
        cast(null as bigint) as unreported_count
    from survey
    where amount is not null
    union all
    select
        'department' as source,
        indicator.period_start_date,
        series.flow,
        indicator.currency_code,
        cast(indicator.value * indicator.unit_multiplier as decimal(24, 4)) as amount,
        indicator.department,
        cast(null as decimal(24, 4)) as amount_cny,
        cast(null as bigint) as affiliate_count,
        cast(null as bigint) as unreported_count
    from core.department_indicator as indicator
    inner join series on series.canonical_indicator = indicator.indicator
    where indicator.is_city
      and indicator.period_kind = 'year'
      and indicator.value is not null
      and indicator.currency_code is not null
    union all
    select
        'direct_report' as source,
        period_start_date,
        flow,
        'USD' as currency_code,
        cast(amount_usd as decimal(24, 4)) as amount,
        cast(null as varchar) as department,
        cast(amount_cny as decimal(24, 4)) as amount_cny,
        affiliate_count,
        unreported_count
    from direct_report
),

-- Figures of a year that is over by the month; they come about eighteen months late.
known as (
    select
        source,
        year(period_start_date) as year,
        flow,
        currency_code,
        amount,
        department,
        amount_cny,
        affiliate_count,
        unreported_count,
        max(year(period_start_date)) over (partition by source, flow, currency_code) as latest_year
    from annual
    where make_date(year(period_start_date), 12, 1) <= $month_start_date
)

select
    $month_start_date as month_start_date,
    known.source,
    cast(known.year as integer) as year,
    known.flow,
    known.amount,
    known.currency_code,
    case
        when known.currency_code = 'USD' then known.amount
        else cast(known.amount * rate.usd_per_unit as decimal(24, 4))
    end as amount_usd,
    case
        when known.source = 'direct_report' then known.amount_cny
        when known.currency_code = 'CNY' then known.amount
        else cast(known.amount * rate.cny_per_unit as decimal(24, 4))
    end as amount_cny,
    base.amount as base_amount,
    case
        when base.amount > 0 then 100 * (cast(known.amount as double) / nullif(cast(base.amount as double), 0) - 1)
    end as growth_pct,
    known.year = known.latest_year as is_latest,
    known.department,
    known.affiliate_count,
    known.unreported_count
from known
left join known as base
    on base.source = known.source
    and base.flow = known.flow
    and base.currency_code = known.currency_code
    and base.year = known.year - 1
left join yearly_rate as rate on rate.year = known.year and rate.currency_code = known.currency_code
where known.year >= known.latest_year - 1
order by known.source, known.flow, known.currency_code, known.year
