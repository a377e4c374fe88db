-- table:  core.technology_contract
-- title:  技术进出口合同（企业直报） / Technology contracts as enterprises report them (FM-6)
-- grain:  one row per accepted row of the form: a contract registered in the month, or an amendment of an earlier one
-- reads:  validated.technology_contract_line, core.exchange_rate
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: registration_no | varchar | 登记证编号
-- column: flow | varchar | export or import
-- column: contract_type | varchar | patent_transfer, patent_application_transfer, patent_licence, know_how, technical_service or other
-- column: partner_code | varchar | economy of the other party
-- column: is_new_contract | boolean | no accepted return of an earlier month has the number; a row without a number is a contract of its own
-- column: contract_usd | decimal(24,4) | value of the contract as it stands, US dollars at this month's rate
-- column: contract_cny | decimal(24,4) | the same in yuan
-- column: contract_state | varchar | value, zero, withheld or not_applicable; empty means blank: not reported
-- column: fee_usd | decimal(24,4) | of which technology fee, US dollars
-- column: fee_cny | decimal(24,4) | the same in yuan
-- column: fee_state | varchar | as contract_state
-- column: added_contract_usd | decimal(24,4) | what the month adds to contract value: all of a new contract; of an amendment the difference to the value last accepted, both at this month's rate
-- column: added_contract_cny | decimal(24,4) | the same in yuan
-- column: added_fee_usd | decimal(24,4) | likewise of technology fees
-- column: added_fee_cny | decimal(24,4) | the same in yuan
-- column: effective_date | date | day from which the contract is in effect
-- column: registered_date | date | day of registration or amendment
-- column: fee_line_id | varchar | submission/sheet!cell of the technology fee
-- column: line_id | varchar | where the figure stands: submission/sheet!cell of the contract's value
-- method: docs/methods/technology_contracts.md
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
        cast(technology_fee * unit_multiplier as decimal(24, 4)) as fee_declared,
        -- A number that stands twice on one return counts once; a row without a number is a contract of its own.
        row_number() over (partition by enterprise_code, coalesce(nullif(registration_no, ''), line_id) order by line_id) as occurrence
    from validated.technology_contract_line
    where month_start_date = $month_start_date
),

-- The contract as last accepted before this month.
before as (
    select
        enterprise_code,
        registration_no,
        currency_code,
        cast(contract_amount * unit_multiplier as decimal(24, 4)) as contract_declared,
        cast(technology_fee * unit_multiplier as decimal(24, 4)) as fee_declared,
        row_number() over (partition by enterprise_code, registration_no order by month_start_date desc, line_id desc) as place
    from validated.technology_contract_line
    where month_start_date < $month_start_date
      and registration_no <> ''
),

converted as (
    select
        line.*,
        before.registration_no is null as is_new_contract,
        case when line.currency_code = 'USD' then line.contract_declared else cast(line.contract_declared * rate.usd_per_unit as decimal(24, 4)) end as contract_usd,
        case when line.currency_code = 'CNY' then line.contract_declared else cast(line.contract_declared * rate.cny_per_unit as decimal(24, 4)) end as contract_cny,
        case when line.currency_code = 'USD' then line.fee_declared else cast(line.fee_declared * rate.usd_per_unit as decimal(24, 4)) end as fee_usd,
        case when line.currency_code = 'CNY' then line.fee_declared else cast(line.fee_declared * rate.cny_per_unit as decimal(24, 4)) end as fee_cny,
        case when before.currency_code = 'USD' then before.contract_declared else cast(before.contract_declared * rate_before.usd_per_unit as decimal(24, 4)) end as contract_before_usd,
        case when before.currency_code = 'CNY' then before.contract_declared else cast(before.contract_declared * rate_before.cny_per_unit as decimal(24, 4)) end as contract_before_cny,
        case when before.currency_code = 'USD' then before.fee_declared else cast(before.fee_declared * rate_before.usd_per_unit as decimal(24, 4)) end as fee_before_usd,
        case when before.currency_code = 'CNY' then before.fee_declared else cast(before.fee_declared * rate_before.cny_per_unit as decimal(24, 4)) end as fee_before_cny
    from line
    left join rate on rate.period_kind = line.period_kind and rate.currency_code = line.currency_code
    left join before
        on before.enterprise_code = line.enterprise_code
        and before.registration_no = line.registration_no
        and before.place = 1
    left join rate as rate_before on rate_before.period_kind = line.period_kind and rate_before.currency_code = before.currency_code
)

select
    month_start_date,
    enterprise_code,
    district_code,
    submission_id,
    registration_no,
    direction as flow,
    contract_type,
    partner_code,
    is_new_contract and occurrence = 1 as is_new_contract,
    contract_usd,
    contract_cny,
    contract_amount_state as contract_state,
    fee_usd,
    fee_cny,
    technology_fee_state as fee_state,
    -- An amendment whose earlier value was withheld or in a currency without a rate adds an unknown amount.
    case
        when occurrence > 1 then null
        when is_new_contract then contract_usd
        else cast(contract_usd - contract_before_usd as decimal(24, 4))
    end as added_contract_usd,
    case
        when occurrence > 1 then null
        when is_new_contract then contract_cny
        else cast(contract_cny - contract_before_cny as decimal(24, 4))
    end as added_contract_cny,
    case
        when occurrence > 1 then null
        when is_new_contract then fee_usd
        else cast(fee_usd - fee_before_usd as decimal(24, 4))
    end as added_fee_usd,
    case
        when occurrence > 1 then null
        when is_new_contract then fee_cny
        else cast(fee_cny - fee_before_cny as decimal(24, 4))
    end as added_fee_cny,
    effective_date,
    registered_date,
    fee_line_id,
    line_id
from converted
order by enterprise_code, registration_no, line_id
