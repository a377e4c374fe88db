-- table:  checks.outsourcing_contract
-- title:  服务外包合同的事实 / Facts about each contract of FM-3
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.outsourcing_line, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-3
-- column: sheet | varchar | sheet as named in the file
-- column: executed_cell | varchar | cell of the amount executed this month
-- column: executed_cumulative_cell | varchar | cell of the amount executed since signing
-- column: excess_cell | varchar | cell at which an excess over the contract is asked about: the contract's value, or the amount since signing where that does not follow from last month's
-- column: excess_figure | double | figure of that cell, declared unit
-- column: business_key | varchar | enterprise/contract
-- column: subject_zh | varchar | contract × shore × partner
-- column: subject_en | varchar | contract × shore × partner
-- column: remark | varchar | 说明
-- column: contract_amount | double | value of the contract, declared unit
-- column: executed | double | this month
-- column: executed_cumulative | double | since signing
-- column: executed_above_contract | double | executed since signing less the contract's value; positive is too much
-- column: executed_above_cumulative | double | executed this month less executed since signing; positive is too much
-- column: previous_cumulative | double | executed since signing as accepted for the month before; empty when that month or that contract was not accepted, or in another currency; in the declared unit of this return
-- column: expected_cumulative | double | previous_cumulative plus this month
-- column: cumulative_gap_in_last_digits | double | size of executed_cumulative less expected_cumulative, in units of the last printed digit, of the coarser one where the unit changed
-- column: lowest_cell | varchar | cell of lowest_that_must_not_be_negative
-- column: lowest_that_must_not_be_negative | double | lowest of the three amounts, declared unit; without the month's where the remark says that it is a refund
-- column: executed_that_may_be_negative | double | this month's, where the remark says that it is a refund
-- column: partner_cell | varchar | cell of the client's economy
-- column: partner_code | varchar | economy of the client
-- column: shore_zh | varchar | 离岸 or 在岸
-- column: shore_en | varchar | offshore or onshore
-- column: partner_zh | varchar | name of the client's economy
-- column: partner_en | varchar | the same
-- column: is_partner_of_shore | boolean | an offshore client is not on the Chinese mainland, an onshore one is; empty where either is not known
-- column: largest_cell | varchar | cell of the largest of the three amounts
-- column: largest_amount | double | its size, declared unit
-- column: largest_in_currency_units | double | its size, currency units
-- method: docs/rules.md
with filed_line as (
    select
        l.*,
        strpos(coalesce(l.remark, ''), '退款') > 0
            or strpos(coalesce(l.remark, ''), '退费') > 0
            or strpos(coalesce(l.remark, ''), '冲销') > 0
            or strpos(coalesce(l.remark, ''), '冲减') > 0
            or strpos(coalesce(l.remark, ''), '红冲') > 0
            or strpos(lower(coalesce(l.remark, '')), 'refund') > 0
            or strpos(lower(coalesce(l.remark, '')), 'reversal') > 0 as is_refund,
        count(*) over (partition by l.submission_id, l.contract_no) as same_contract_count
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
-- Only a contract that stands once on its return is set against last month. Said in the key: a condition on the
-- left side alone makes an outer join compare every contract with every other.
line as (
    select
        *,
        least(contract_amount, executed_cumulative, case when not is_refund then executed end) as lowest,
        case when same_contract_count = 1 and period_kind = 'month' then contract_no end as single_contract_no
    from filed_line
),
previous as (
    select
        l.enterprise_code,
        l.contract_no,
        l.currency_code,
        max(l.submission_id) as submission_id,
        max(l.sheet) as sheet,
        max(l.unit_code) as unit_code,
        max(l.unit_multiplier) as unit_multiplier,
        max(l.executed_cumulative) as executed_cumulative
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.month_start_date = $month_start_date - interval 1 month
      and l.contract_no is not null
    group by l.enterprise_code, l.contract_no, l.currency_code
    having count(*) = 1
),
figure as (
    select submission_id, sheet, executed as figure, unit_multiplier from line
    union all
    select submission_id, sheet, executed_cumulative as figure, unit_multiplier from line
    union all
    select submission_id, sheet, executed_cumulative as figure, unit_multiplier from previous
),
last_digit as (
    select
        submission_id,
        sheet,
        unit_multiplier * min(
            case
                when digits is null or digits = cast(digits as decimal(18, 0)) then 1.0
                when digits = cast(digits as decimal(18, 1)) then 0.1
                when digits = cast(digits as decimal(18, 2)) then 0.01
                when unit_multiplier < 1000000 then 0.01
                when digits = cast(digits as decimal(18, 3)) then 0.001
                when digits = cast(digits as decimal(18, 4)) then 0.0001
                when digits = cast(digits as decimal(18, 5)) then 0.00001
                else 0.000001
            end
        ) as currency_units
    from (
        -- six decimals are the finest asked for; a figure too large for them has none that matter
        select
            submission_id,
            sheet,
            unit_multiplier,
            try_cast(cast(figure as double) as decimal(18, 6)) as digits
        from figure
        where figure is not null
    ) as cut
    group by submission_id, sheet, unit_multiplier
),
-- Last month's figure in the unit declared now, so that a sheet in 美元 follows one in 万美元.
carried as (
    select
        l.submission_id,
        l.sheet,
        l.row_number,
        case
            when v.unit_code = l.unit_code then v.executed_cumulative
            else try_cast(
                cast(v.executed_cumulative as double) * cast(v.unit_multiplier as double)
                / cast(l.unit_multiplier as double) as decimal(30, 10)
            )
        end as executed_cumulative,
        case
            when v.unit_code <> l.unit_code and p.currency_units > d.currency_units then p.currency_units
            else d.currency_units
        end / l.unit_multiplier as last_digit
    from line as l
    inner join previous as v
        on v.enterprise_code = l.enterprise_code
        and v.contract_no = l.single_contract_no
        and v.currency_code = l.currency_code
    left join last_digit as d on d.submission_id = l.submission_id and d.sheet = l.sheet
    left join last_digit as p on p.submission_id = v.submission_id and p.sheet = v.sheet
)
select
    l.month_start_date,
    l.submission_id,
    'FM-3' as form_code,
    l.sheet,
    l.executed_cell,
    l.executed_cumulative_cell,
    case
        when l.executed_cumulative <> v.executed_cumulative + l.executed then l.executed_cumulative_cell
        else coalesce(l.contract_amount_cell, l.executed_cumulative_cell)
    end as excess_cell,
    cast(
        case
            when l.executed_cumulative <> v.executed_cumulative + l.executed or l.contract_amount_cell is null then l.executed_cumulative
            else l.contract_amount
        end as double
    ) as excess_figure,
    l.enterprise_code || '/' || coalesce(l.contract_no, '') as business_key,
    '合同 ' || coalesce(l.contract_no, '编号未填')
        || case l.shore when 'offshore' then ' × 离岸' when 'onshore' then ' × 在岸' else '' end
        || coalesce(' × ' || p.name_zh, '') as subject_zh,
    'contract ' || coalesce(l.contract_no, 'without number')
        || coalesce(' × ' || l.shore, '')
        || coalesce(' × ' || p.name_en, '') as subject_en,
    l.remark,
    cast(l.contract_amount as double) as contract_amount,
    cast(l.executed as double) as executed,
    cast(l.executed_cumulative as double) as executed_cumulative,
    cast(l.executed_cumulative - l.contract_amount as double) as executed_above_contract,
    cast(l.executed - l.executed_cumulative as double) as executed_above_cumulative,
    cast(v.executed_cumulative as double) as previous_cumulative,
    cast(v.executed_cumulative + l.executed as double) as expected_cumulative,
    abs(cast(l.executed_cumulative - (v.executed_cumulative + l.executed) as double)) / cast(v.last_digit as double)
        as cumulative_gap_in_last_digits,
    case l.lowest
        when l.contract_amount then l.contract_amount_cell
        when l.executed_cumulative then l.executed_cumulative_cell
        else l.executed_cell
    end as lowest_cell,
    cast(l.lowest as double) as lowest_that_must_not_be_negative,
    cast(case when l.is_refund then l.executed end as double) as executed_that_may_be_negative,
    l.partner_cell,
    l.partner_code,
    case l.shore when 'offshore' then '离岸' when 'onshore' then '在岸' end as shore_zh,
    l.shore as shore_en,
    p.name_zh as partner_zh,
    p.name_en as partner_en,
    (l.partner_code = 'CHN') = (l.shore = 'onshore') as is_partner_of_shore,
    case
        when l.contract_amount_cell is not null
            and abs(coalesce(l.contract_amount, 0)) >= greatest(abs(coalesce(l.executed, 0)), abs(coalesce(l.executed_cumulative, 0)))
            then l.contract_amount_cell
        when l.executed_cumulative_cell is not null
            and abs(coalesce(l.executed_cumulative, 0)) >= abs(coalesce(l.executed, 0))
            then l.executed_cumulative_cell
        else l.executed_cell
    end as largest_cell,
    -- a cell without a figure is not the largest: nothing is added or compared as zero here
    cast(
        greatest(abs(coalesce(l.contract_amount, 0)), abs(coalesce(l.executed, 0)), abs(coalesce(l.executed_cumulative, 0)))
        as double
    ) as largest_amount,
    cast(
        greatest(abs(coalesce(l.contract_amount, 0)), abs(coalesce(l.executed, 0)), abs(coalesce(l.executed_cumulative, 0)))
        as double
    ) * cast(l.unit_multiplier as double) as largest_in_currency_units
from line as l
left join carried as v
    on v.submission_id = l.submission_id and v.sheet = l.sheet and v.row_number = l.row_number
left join reference.partners as p on p.partner_code = l.partner_code
order by l.submission_id, l.sheet, l.row_number
