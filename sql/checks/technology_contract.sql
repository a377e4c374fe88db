-- table:  checks.technology_contract
-- title:  技术进出口合同的事实 / Facts about each contract of FM-6
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.technology_contract_line, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-6
-- column: sheet | varchar | sheet as named in the file
-- column: number_cell | varchar | cell of the registration number
-- column: changed_cell | varchar | cell of the first of direction, kind and partner that is not that of the earlier contract; of the kind where all are
-- column: partner_cell | varchar | cell of the partner
-- column: fee_cell | varchar | cell of the technology fee
-- column: registered_cell | varchar | cell of the day of registration
-- column: lowest_cell | varchar | cell of the lower of the two amounts
-- column: largest_cell | varchar | cell of the larger of the two amounts
-- column: business_key | varchar | enterprise/registration number
-- column: subject_zh | varchar | contract × flow × partner
-- column: subject_en | varchar | contract × flow × partner
-- column: remark | varchar | 说明
-- column: registration_no | varchar | as typed
-- column: partner_code | varchar | economy of the other party
-- column: partner_zh | varchar | its name
-- column: partner_en | varchar | its name
-- column: contract_amount | double | declared unit
-- column: technology_fee | double | declared unit
-- column: fee_above_contract | double | technology fee less contract value; positive is too much
-- column: lowest_amount | double | the lower of the two
-- column: largest_amount | double | the larger by size
-- column: largest_in_currency_units | double | its size, currency units
-- column: effective_date | varchar | day from which the contract is in effect
-- column: registered_date | varchar | day of registration
-- column: latest_day | varchar | sixty days after taking effect, the last day for registration
-- column: is_registered_in_time | boolean | registered within sixty days of taking effect; empty for an amendment or where a day is unknown
-- column: is_registered_after_effect | boolean | not before the day it took effect; empty where a day is unknown
-- column: is_registered_in_period | boolean | registered within the period of the return; empty where the day is unknown
-- column: is_registered_by_arrival | boolean | not after the day the return arrived
-- column: period_text | varchar | period of the return, 2026-03
-- column: received_date | varchar | day the return arrived, Shanghai time
-- column: same_number_count | bigint | rows of the return with the number, for all but the first of them; else 1
-- column: first_number_cell | varchar | cell of the first row with the number
-- column: earlier_period_text | varchar | month of the latest accepted return, up to twelve months back, that has the number; empty if none
-- column: is_unmarked_repeat | boolean | such a return exists and the row is not marked as an amendment
-- column: is_amendment_known | boolean | an amendment of a contract of such a return; empty where the row is no amendment
-- column: is_same_contract | boolean | flow, kind and partner are those of that return; empty where there is none or one is unknown
-- column: earlier_zh | varchar | flow, kind and partner there
-- column: earlier_en | varchar | flow, kind and partner there
-- column: present_zh | varchar | flow, kind and partner here
-- column: present_en | varchar | flow, kind and partner here
-- method: docs/rules.md
with line as (
    select
        l.*,
        s.period_start_date,
        -- the ledger keeps moments in UTC
        cast(s.received_at + interval 8 hour as date) as received_date,
        row_number() over (partition by l.submission_id, nullif(l.registration_no, '') order by l.sheet, l.row_number) as number_place,
        count(*) over (partition by l.submission_id, nullif(l.registration_no, '')) as number_count
    from raw.technology_contract_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
first_line as (
    select
        submission_id,
        registration_no,
        registration_no_cell as first_number_cell
    from line
    where number_place = 1
      and registration_no <> ''
),
earlier as (
    select
        l.enterprise_code,
        l.registration_no,
        l.month_start_date,
        l.direction,
        l.contract_type,
        l.partner_code,
        row_number() over (partition by l.enterprise_code, l.registration_no order by l.month_start_date desc, l.sheet, l.row_number) as place
    from raw.technology_contract_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.month_start_date < $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
      and l.registration_no <> ''
),
kind as (
    select 'patent_transfer' as contract_type, '专利权转让' as kind_zh, 'patent transfer' as kind_en
    union all
    select 'patent_application_transfer', '专利申请权转让', 'transfer of a patent application'
    union all
    select 'patent_licence', '专利实施许可', 'patent licence'
    union all
    select 'know_how', '技术秘密许可', 'know-how licence'
    union all
    select 'technical_service', '技术服务', 'technical service'
    union all
    select 'other', '其他', 'other'
),
flow as (
    select 'export' as direction, '技术出口' as flow_zh, 'technology export' as flow_en
    union all
    select 'import', '技术进口', 'technology import'
)
select
    l.month_start_date,
    l.submission_id,
    'FM-6' as form_code,
    l.sheet,
    l.registration_no_cell as number_cell,
    case
        when l.direction <> e.direction then l.direction_cell
        when l.partner_code <> e.partner_code and coalesce(l.contract_type = e.contract_type, true) then l.partner_cell
        else l.contract_type_cell
    end as changed_cell,
    l.partner_cell,
    coalesce(l.technology_fee_cell, l.contract_amount_cell, l.registration_no_cell) as fee_cell,
    l.registered_date_cell as registered_cell,
    case
        when l.contract_amount_cell is not null and (l.technology_fee is null or l.contract_amount <= l.technology_fee)
            then l.contract_amount_cell
        else l.technology_fee_cell
    end as lowest_cell,
    case
        when l.contract_amount_cell is not null and (l.technology_fee is null or abs(l.contract_amount) >= abs(l.technology_fee))
            then l.contract_amount_cell
        else l.technology_fee_cell
    end as largest_cell,
    l.enterprise_code || '/' || coalesce(l.registration_no, '') as business_key,
    '合同 ' || coalesce(l.registration_no, '编号未填') || coalesce(' × ' || flow.flow_zh, '') || coalesce(' × ' || p.name_zh, '') as subject_zh,
    'contract ' || coalesce(l.registration_no, 'without number') || coalesce(' × ' || flow.flow_en, '') || coalesce(' × ' || p.name_en, '') as subject_en,
    l.remark,
    l.registration_no,
    l.partner_code,
    p.name_zh as partner_zh,
    p.name_en as partner_en,
    cast(l.contract_amount as double) as contract_amount,
    cast(l.technology_fee as double) as technology_fee,
    cast(l.technology_fee - l.contract_amount as double) as fee_above_contract,
    cast(least(l.contract_amount, l.technology_fee) as double) as lowest_amount,
    cast(case when l.technology_fee is null or abs(l.contract_amount) >= abs(l.technology_fee) then l.contract_amount else l.technology_fee end as double) as largest_amount,
    cast(greatest(abs(l.contract_amount), abs(l.technology_fee)) as double) * cast(l.unit_multiplier as double) as largest_in_currency_units,
    cast(l.effective_date as varchar) as effective_date,
    cast(l.registered_date as varchar) as registered_date,
    cast(cast(l.effective_date + interval 60 day as date) as varchar) as latest_day,
    case when coalesce(not l.is_amendment, true) then l.registered_date <= l.effective_date + interval 60 day end as is_registered_in_time,
    l.registered_date >= l.effective_date as is_registered_after_effect,
    l.registered_date >= l.period_start_date and l.registered_date < l.month_start_date + interval 1 month as is_registered_in_period,
    l.registered_date <= l.received_date as is_registered_by_arrival,
    substr(cast(l.month_start_date as varchar), 1, 7) as period_text,
    cast(l.received_date as varchar) as received_date,
    case when l.registration_no <> '' and l.number_place > 1 then l.number_count else 1 end as same_number_count,
    f.first_number_cell,
    substr(cast(e.month_start_date as varchar), 1, 7) as earlier_period_text,
    e.month_start_date is not null and coalesce(not l.is_amendment, true) as is_unmarked_repeat,
    case when l.is_amendment then e.month_start_date is not null end as is_amendment_known,
    case
        when l.direction <> e.direction or l.contract_type <> e.contract_type or l.partner_code <> e.partner_code then false
        when l.direction = e.direction and l.contract_type = e.contract_type and l.partner_code = e.partner_code then true
    end as is_same_contract,
    coalesce(earlier_flow.flow_zh, '') || ' ' || coalesce(earlier_kind.kind_zh, '') || ' ' || coalesce(earlier_partner.name_zh, '') as earlier_zh,
    coalesce(earlier_flow.flow_en, '') || ', ' || coalesce(earlier_kind.kind_en, '') || ', ' || coalesce(earlier_partner.name_en, '') as earlier_en,
    coalesce(flow.flow_zh, '') || ' ' || coalesce(kind.kind_zh, '') || ' ' || coalesce(p.name_zh, '') as present_zh,
    coalesce(flow.flow_en, '') || ', ' || coalesce(kind.kind_en, '') || ', ' || coalesce(p.name_en, '') as present_en
from line as l
left join first_line as f on f.submission_id = l.submission_id and f.registration_no = l.registration_no
left join earlier as e on e.enterprise_code = l.enterprise_code and e.registration_no = l.registration_no and e.place = 1
left join kind on kind.contract_type = l.contract_type
left join kind as earlier_kind on earlier_kind.contract_type = e.contract_type
left join flow on flow.direction = l.direction
left join flow as earlier_flow on earlier_flow.direction = e.direction
left join reference.partners as p on p.partner_code = l.partner_code
left join reference.partners as earlier_partner on earlier_partner.partner_code = e.partner_code
order by l.submission_id, l.sheet, l.row_number
