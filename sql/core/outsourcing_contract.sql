-- table:  core.outsourcing_contract
-- title:  服务外包合同 / Outsourcing contracts with what was executed in the month
-- grain:  one row per accepted contract row
-- reads:  validated.outsourcing_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: contract_no | varchar | as typed
-- column: outsourcing_type | varchar | ITO, BPO or KPO
-- column: shore | varchar | offshore or onshore
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: contract_usd | decimal(24,4) | value of the contract, US dollars at this month's rate
-- column: contract_cny | decimal(24,4) | value of the contract, yuan
-- column: executed_usd | decimal(24,4) | executed in the month, US dollars
-- column: executed_cny | decimal(24,4) | executed in the month, yuan
-- column: signed_date | date | day of signature
-- column: is_new_contract | boolean | counted as contract value of this month: it appears for the first time and was signed this year (or its date is blank)
-- column: contract_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: executed_state | varchar | as contract_state
-- column: contract_line_id | varchar | submission/sheet!cell of the contract value
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/outsourcing.md
with rate as (
    select
        'month' as period_kind,
        currency_code,
        cny_per_unit,
        usd_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
    union all
    select
        'months_1_2' as period_kind,
        currency_code,
        cast(sum(cny_per_unit) * 0.5 as decimal(18, 8)) as cny_per_unit,
        cast(sum(usd_per_unit) * 0.5 as decimal(18, 16)) as usd_per_unit
    from core.exchange_rate
    where month_start_date in ($month_start_date, make_date(year($month_start_date), 1, 1))
    group by currency_code
    having count(*) = 2
),

line as (
    select
        *,
        cast(contract_amount * unit_multiplier as decimal(24, 4)) as contract_declared,
        cast(executed * unit_multiplier as decimal(24, 4)) as executed_declared,
        -- A row without a number is a contract of its own: it cannot be known as another row's.
        row_number() over (partition by enterprise_code, coalesce(nullif(contract_no, ''), line_id) order by line_id) as occurrence
    from validated.outsourcing_line
    where month_start_date = $month_start_date
),

-- The form lists a contract every month while it runs: its value counts once, when it first appears.
known_before as (
    select distinct
        enterprise_code,
        contract_no
    from validated.outsourcing_line
    where month_start_date < $month_start_date
      and contract_no <> ''
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.contract_no,
    line.outsourcing_type,
    line.shore,
    line.partner_code,
    case
        when line.currency_code = 'USD' then line.contract_declared
        else cast(line.contract_declared * rate.usd_per_unit as decimal(24, 4))
    end as contract_usd,
    case
        when line.currency_code = 'CNY' then line.contract_declared
        else cast(line.contract_declared * rate.cny_per_unit as decimal(24, 4))
    end as contract_cny,
    case
        when line.currency_code = 'USD' then line.executed_declared
        else cast(line.executed_declared * rate.usd_per_unit as decimal(24, 4))
    end as executed_usd,
    case
        when line.currency_code = 'CNY' then line.executed_declared
        else cast(line.executed_declared * rate.cny_per_unit as decimal(24, 4))
    end as executed_cny,
    line.signed_date,
    known_before.contract_no is null
    and line.occurrence = 1
    and (line.signed_date is null or year(line.signed_date) = year($month_start_date)) as is_new_contract,
    line.contract_amount_state as contract_state,
    line.executed_state,
    line.contract_line_id,
    line.line_id
from line
left join rate on rate.period_kind = line.period_kind and rate.currency_code = line.currency_code
left join known_before
    on known_before.enterprise_code = line.enterprise_code
    and known_before.contract_no = line.contract_no
order by line.enterprise_code, line.contract_no, line.line_id
