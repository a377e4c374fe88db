-- table:  checks.person_movement
-- title:  自然人移动各行的事实 / Facts about each row of FM-5
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.person_movement_line, raw.service_trade_line, core.item_ancestor, reference.mode_allocation, reference.ebops_items, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-5
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the contract value, else of the persons
-- column: direction_cell | varchar | cell of the direction
-- column: item_cell | varchar | cell of the item
-- column: partner_cell | varchar | cell of the partner
-- column: person_cell | varchar | cell of the persons
-- column: days_cell | varchar | cell of the person-days
-- column: remuneration_cell | varchar | cell of the pay
-- column: lowest_cell | varchar | cell of the lowest figure
-- column: largest_cell | varchar | cell of the larger amount
-- column: business_key | varchar | enterprise/direction/item/partner
-- column: subject_zh | varchar | direction × item × partner
-- column: subject_en | varchar | the same
-- column: remark | varchar | 说明
-- column: period_text | varchar | half-year of the figures, 2025-H1
-- column: direction_zh | varchar | 派出 or 接收
-- column: direction_en | varchar | sent abroad or received
-- column: item_zh | varchar | code and name of the item
-- column: item_en | varchar | the same
-- column: partner_zh | varchar | name of the partner
-- column: partner_en | varchar | the same
-- column: person_count | double | persons
-- column: person_days | double | days worked
-- column: most_person_days | double | persons times the days of the half-year
-- column: person_days_above_most | double | person_days less most_person_days; positive is too much
-- column: person_days_per_person | double | empty without persons
-- column: is_person_count_whole | boolean | persons are whole persons
-- column: contract_amount | double | value of the contracts, declared unit
-- column: remuneration | double | pay, declared unit
-- column: pay_above_contract | double | pay less the contracts' value, exact in decimals before it is a double; positive is too much
-- column: lowest_figure | double | lowest of the four figures
-- column: largest_amount | double | larger of the two amounts, declared unit
-- column: largest_in_currency_units | double | the same, currency units
-- column: is_item_by_persons | boolean | the item, one above or one below it is supplied by persons who travel (mode 4) in the profile wto_base; empty without an item
-- column: is_partner_china | boolean | the partner is the Chinese mainland
-- column: is_direction_of_sheet | boolean | the sheet's name says 派出 or 接收 and the row agrees; empty where it says neither
-- column: sheet_direction_zh | varchar | what the name says
-- column: sheet_direction_en | varchar | the same
-- column: same_row_count | bigint | rows of the return with this direction, item and partner, for the row that repeats an earlier one; else 1
-- column: known_month_count | bigint | months of the half-year with FM-2 of this enterprise in hand: accepted ones of the last twelve months, and this return
-- column: has_service_export | boolean | FM-2 of those months has exports of the item, one above or below it; asked of persons sent abroad only, and only where a month is known
-- method: docs/rules.md
with line as (
    select l.*
    from raw.person_movement_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
placed as (
    select
        *,
        count(*) over (partition by submission_id, direction, item_code, partner_code, sheet_period_code) as row_count,
        row_number() over (
            partition by submission_id, direction, item_code, partner_code, sheet_period_code order by sheet, row_number
        ) as place
    from line
),
-- An item and every item above or below it: a clerk may give one in detail on one form and not on the other.
kin as (
    select item_code, ancestor_code as kin_code
    from core.item_ancestor
    where ancestor_code <> 'S'
    union
    select ancestor_code as item_code, item_code as kin_code
    from core.item_ancestor
    where ancestor_code <> 'S'
),
by_persons as (
    select distinct k.item_code
    from kin as k
    inner join reference.mode_allocation as m on m.item_code = k.kin_code
    where m.profile = 'wto_base'
      and m.mode_4_pct > 0
),
service_line as (
    select
        l.enterprise_code,
        l.month_start_date,
        l.item_code,
        l.flow,
        l.amount,
        l.amount_state
    from raw.service_trade_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where (s.is_current_accepted or (s.is_current and l.month_start_date = $month_start_date))
      and l.month_start_date <= $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
      and l.enterprise_code in (select enterprise_code from line)
),
known as (
    select
        p.enterprise_code,
        p.sheet_period_start_date,
        count(distinct l.month_start_date) as month_count
    from (select distinct enterprise_code, sheet_period_start_date from line) as p
    inner join service_line as l
        on l.enterprise_code = p.enterprise_code
        and l.month_start_date >= p.sheet_period_start_date
        and l.month_start_date < p.sheet_period_start_date + interval 6 month
    group by p.enterprise_code, p.sheet_period_start_date
),
exported as (
    select distinct
        p.enterprise_code,
        p.sheet_period_start_date,
        p.item_code
    from (select distinct enterprise_code, sheet_period_start_date, item_code from line) as p
    inner join kin as k on k.item_code = p.item_code
    inner join service_line as l
        on l.enterprise_code = p.enterprise_code
        and l.item_code = k.kin_code
        and l.month_start_date >= p.sheet_period_start_date
        and l.month_start_date < p.sheet_period_start_date + interval 6 month
    where l.flow = 'export'
      and (l.amount > 0 or l.amount_state in ('withheld', 'invalid'))
),
fact as (
    select
        l.*,
        p.name_zh as partner_zh,
        p.name_en as partner_en,
        l.item_code || coalesce(' ' || i.name_zh, '') as item_zh,
        l.item_code || coalesce(' ' || i.name_en, '') as item_en,
        case
            when l.sheet like '%派出%' and l.sheet not like '%接收%' then 'export'
            when l.sheet like '%接收%' and l.sheet not like '%派出%' then 'import'
        end as sheet_direction,
        -- 181 days in the first half of a year, 182 in a leap year (by its last day of February), 184 in the second
        l.person_count * case
            when month(l.sheet_period_start_date) = 1
                then 153 + day(cast(make_date(year(l.sheet_period_start_date), 3, 1) - interval 1 day as date))
            else 184
        end as most_days,
        b.item_code is not null as is_by_persons,
        n.month_count,
        x.item_code is not null as is_exported
    from placed as l
    left join reference.partners as p on p.partner_code = l.partner_code
    left join reference.ebops_items as i on i.item_code = l.item_code
    left join by_persons as b on b.item_code = l.item_code
    left join known as n
        on n.enterprise_code = l.enterprise_code and n.sheet_period_start_date = l.sheet_period_start_date
    left join exported as x
        on x.enterprise_code = l.enterprise_code
        and x.sheet_period_start_date = l.sheet_period_start_date
        and x.item_code = l.item_code
)
select
    month_start_date,
    submission_id,
    'FM-5' as form_code,
    sheet,
    coalesce(contract_amount_cell, person_count_cell, remuneration_cell) as cell,
    direction_cell,
    item_cell,
    partner_cell,
    person_count_cell as person_cell,
    person_days_cell as days_cell,
    remuneration_cell,
    case least(person_count, person_days, contract_amount, remuneration)
        when person_count then person_count_cell
        when person_days then person_days_cell
        when contract_amount then contract_amount_cell
        else remuneration_cell
    end as lowest_cell,
    case
        when remuneration is not null and (contract_amount is null or abs(remuneration) > abs(contract_amount)) then remuneration_cell
        else contract_amount_cell
    end as largest_cell,
    enterprise_code || '/' || coalesce(direction, '') || '/' || coalesce(item_code, '') || '/' || coalesce(partner_code, '') as business_key,
    case direction when 'export' then '派出 × ' when 'import' then '接收 × ' else '' end
        || coalesce(item_zh, '项目未填') || coalesce(' × ' || partner_zh, '') as subject_zh,
    case direction when 'export' then 'sent abroad × ' when 'import' then 'received × ' else '' end
        || coalesce(item_en, 'without item') || coalesce(' × ' || partner_en, '') as subject_en,
    remark,
    sheet_period_code as period_text,
    case direction when 'export' then '派出' when 'import' then '接收' end as direction_zh,
    case direction when 'export' then 'sent abroad' when 'import' then 'received' end as direction_en,
    item_zh,
    item_en,
    partner_zh,
    partner_en,
    cast(person_count as double) as person_count,
    cast(person_days as double) as person_days,
    cast(most_days as double) as most_person_days,
    cast(person_days - most_days as double) as person_days_above_most,
    cast(person_days as double) / nullif(cast(person_count as double), 0) as person_days_per_person,
    person_count = cast(person_count as decimal(20, 0)) as is_person_count_whole,
    cast(contract_amount as double) as contract_amount,
    cast(remuneration as double) as remuneration,
    cast(remuneration - contract_amount as double) as pay_above_contract,
    cast(least(person_count, person_days, contract_amount, remuneration) as double) as lowest_figure,
    cast(greatest(abs(contract_amount), abs(remuneration)) as double) as largest_amount,
    cast(greatest(abs(contract_amount), abs(remuneration)) as double) * cast(unit_multiplier as double) as largest_in_currency_units,
    case when item_code is not null then is_by_persons end as is_item_by_persons,
    partner_code = 'CHN' as is_partner_china,
    direction = sheet_direction as is_direction_of_sheet,
    case sheet_direction when 'export' then '派出' when 'import' then '接收' end as sheet_direction_zh,
    case sheet_direction when 'export' then 'sent abroad' when 'import' then 'received' end as sheet_direction_en,
    case when place > 1 then row_count else 1 end as same_row_count,
    coalesce(month_count, 0) as known_month_count,
    case
        when direction = 'export' and item_code is not null and month_count > 0 and (person_count > 0 or contract_amount > 0)
            then is_exported
    end as has_service_export
from fact
order by submission_id, sheet, row_number
