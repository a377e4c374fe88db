-- table:  checks.digital_case
-- title:  数字贸易案例各行的事实 / Facts about each case of FM-8
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.digital_case_line, raw.service_trade_line, core.item_ancestor, core.exchange_rate, reference.ebops_items, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | month in which the return is counted
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-8
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the value of a year
-- column: name_cell | varchar | cell of the case's name
-- column: mode_cell | varchar | cell of the mode of delivery
-- column: item_cell | varchar | cell of the item
-- column: partner_cell | varchar | cell of the partner
-- column: summary_cell | varchar | cell of the summary, of the name where there is none
-- column: business_key | varchar | enterprise/case
-- column: subject_zh | varchar | name of the case
-- column: subject_en | varchar | the same
-- column: remark | varchar | 说明
-- column: period_text | varchar | half-year of the report, 2025-H1
-- column: case_name | varchar | as typed
-- column: item_zh | varchar | code and name of the item
-- column: item_en | varchar | the same
-- column: partner_zh | varchar | name of the partner
-- column: partner_en | varchar | the same
-- column: annual_amount | double | value of a year, declared unit
-- column: annual_in_currency_units | double | the same, currency units
-- column: is_partner_china | boolean | the partner is the Chinese mainland
-- column: is_digitally_deliverable | boolean | the item can be delivered over a network (UNCTAD; health and education at a distance too); asked of digitally delivered cases only
-- column: summary_length | bigint | characters of the summary, 0 where there is none
-- column: same_row_count | bigint | rows of the return with this name, for the row that repeats an earlier one; else 1
-- column: earlier_period_text | varchar | half-year in which an accepted return of the last twelve months has a case of this name; empty if none has
-- column: is_new_name | boolean | no earlier half-year has it
-- column: trade_month_text | varchar | latest month of the half-year (or this return's own) for which FM-2 is in hand, 2025-06; empty if none is
-- column: trade_year_to_date | double | exports and imports of the item, or of one above or below it, since January in that month, declared unit of the case
-- column: trade_of_a_year | double | the same stretched to twelve months
-- column: annual_over_trade | double | value of a year over trade_of_a_year; empty where that is not above zero
-- column: has_item_trade | boolean | that FM-2 has trade in the item; empty where no FM-2 is in hand or figures are withheld
-- method: docs/rules.md
with line as (
    select l.*
    from raw.digital_case_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
placed as (
    select
        *,
        count(*) over (partition by submission_id, case_name, sheet_period_code) as row_count,
        row_number() over (partition by submission_id, case_name, sheet_period_code order by sheet, row_number) as place
    from line
),
earlier as (
    select
        n.enterprise_code,
        n.case_name,
        n.sheet_period_start_date,
        max(l.sheet_period_code) as period_text
    from (select distinct enterprise_code, case_name, sheet_period_start_date from line) as n
    inner join raw.digital_case_line as l
        on l.enterprise_code = n.enterprise_code
        and l.case_name = n.case_name
        and l.sheet_period_start_date < n.sheet_period_start_date
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.is_current_accepted
      and l.month_start_date <= $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
    group by n.enterprise_code, n.case_name, n.sheet_period_start_date
),
kin as (
    select item_code, ancestor_code as kin_code
    from core.item_ancestor
    where ancestor_code <> 'S'
    union
    select ancestor_code as item_code, item_code as kin_code
    from core.item_ancestor
    where ancestor_code <> 'S'
),
service_line as (
    select
        l.enterprise_code,
        l.month_start_date,
        l.item_code,
        l.ytd_amount,
        l.ytd_state,
        l.unit_multiplier,
        l.currency_code
    from raw.service_trade_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where (s.is_current_accepted or (s.is_current and l.month_start_date = $month_start_date))
      and l.month_start_date <= $month_start_date
      and l.month_start_date >= $month_start_date - interval 12 month
      and l.enterprise_code in (select enterprise_code from line)
),
-- The latest month of the half-year that is in hand: its year to date is the longest stretch of the year.
trade_month as (
    select
        p.enterprise_code,
        p.sheet_period_start_date,
        max(l.month_start_date) as month_start_date
    from (select distinct enterprise_code, sheet_period_start_date from line) as p
    inner join service_line as l
        on l.enterprise_code = p.enterprise_code
        and l.month_start_date >= p.sheet_period_start_date
        and l.month_start_date < p.sheet_period_start_date + interval 6 month
    group by p.enterprise_code, p.sheet_period_start_date
),
-- Rows of one item on one FM-2 sheet may stand beside rows of its parts; the wider figure is taken, so that a
-- case is asked about only where it exceeds even that.
item_trade as (
    select
        p.enterprise_code,
        p.sheet_period_start_date,
        p.item_code,
        k.kin_code,
        sum(
            cast(l.ytd_amount as double) * cast(l.unit_multiplier as double)
            * case when l.currency_code = 'USD' then 1 else cast(r.usd_per_unit as double) end
        ) as ytd_usd,
        min(case when l.ytd_state in ('withheld', 'invalid') then 0 else 1 end) as is_known
    from (select distinct enterprise_code, sheet_period_start_date, item_code from line) as p
    inner join kin as k on k.item_code = p.item_code
    inner join trade_month as m
        on m.enterprise_code = p.enterprise_code and m.sheet_period_start_date = p.sheet_period_start_date
    inner join service_line as l
        on l.enterprise_code = p.enterprise_code
        and l.month_start_date = m.month_start_date
        and l.item_code = k.kin_code
    left join core.exchange_rate as r
        on r.month_start_date = l.month_start_date and r.currency_code = l.currency_code
    group by p.enterprise_code, p.sheet_period_start_date, p.item_code, k.kin_code
),
widest as (
    select
        enterprise_code,
        sheet_period_start_date,
        item_code,
        -- the rows of a level above or of the item itself, or all rows below together
        greatest(
            max(ytd_usd) filter (where kin_code = item_code or item_code like kin_code || '%'),
            sum(ytd_usd) filter (where kin_code <> item_code and kin_code like item_code || '%')
        ) as ytd_usd,
        min(is_known) as is_known
    from item_trade
    group by enterprise_code, sheet_period_start_date, item_code
),
fact as (
    select
        l.*,
        p.name_zh as partner_zh,
        p.name_en as partner_en,
        l.item_code || coalesce(' ' || i.name_zh, '') as item_zh,
        l.item_code || coalesce(' ' || i.name_en, '') as item_en,
        i.digitally_deliverable_unctad,
        e.period_text as earlier_period_text,
        m.month_start_date as trade_month,
        w.is_known,
        w.ytd_usd,
        w.ytd_usd / nullif(
            cast(l.unit_multiplier as double) * case when l.currency_code = 'USD' then 1 else cast(r.usd_per_unit as double) end, 0
        ) as ytd_declared
    from placed as l
    left join reference.partners as p on p.partner_code = l.partner_code
    left join reference.ebops_items as i on i.item_code = l.item_code
    left join earlier as e
        on e.enterprise_code = l.enterprise_code
        and e.case_name = l.case_name
        and e.sheet_period_start_date = l.sheet_period_start_date
    left join trade_month as m
        on m.enterprise_code = l.enterprise_code and m.sheet_period_start_date = l.sheet_period_start_date
    left join widest as w
        on w.enterprise_code = l.enterprise_code
        and w.sheet_period_start_date = l.sheet_period_start_date
        and w.item_code = l.item_code
    left join core.exchange_rate as r on r.month_start_date = m.month_start_date and r.currency_code = l.currency_code
)
select
    month_start_date,
    submission_id,
    'FM-8' as form_code,
    sheet,
    annual_amount_cell as cell,
    case_name_cell as name_cell,
    delivery_mode_cell as mode_cell,
    item_cell,
    partner_cell,
    coalesce(summary_cell, case_name_cell) as summary_cell,
    enterprise_code || '/' || coalesce(case_name, '') as business_key,
    coalesce(case_name, '案例名称未填') as subject_zh,
    coalesce(case_name, 'case without name') as subject_en,
    remark,
    sheet_period_code as period_text,
    case_name,
    item_zh,
    item_en,
    partner_zh,
    partner_en,
    cast(annual_amount as double) as annual_amount,
    cast(abs(annual_amount) as double) * cast(unit_multiplier as double) as annual_in_currency_units,
    partner_code = 'CHN' as is_partner_china,
    case
        when delivery_mode = 'digitally_delivered' and item_code is not null
            then digitally_deliverable_unctad in ('yes', 'part') or item_code like 'SK%' or item_code like 'SDB1%' or item_code like 'SDB2%'
    end as is_digitally_deliverable,
    cast(coalesce(length(summary), 0) as bigint) as summary_length,
    case when place > 1 then row_count else 1 end as same_row_count,
    earlier_period_text,
    case when case_name is not null then earlier_period_text is null end as is_new_name,
    substr(cast(trade_month as varchar), 1, 7) as trade_month_text,
    ytd_declared as trade_year_to_date,
    ytd_declared * 12 / nullif(cast(month(trade_month) as double), 0) as trade_of_a_year,
    case
        when is_known = 1 and ytd_declared > 0
            then cast(annual_amount as double) * cast(month(trade_month) as double) / nullif(ytd_declared * 12, 0)
    end as annual_over_trade,
    case
        when trade_month is null or item_code is null or not annual_amount > 0 then null
        when is_known = 0 then null
        else coalesce(ytd_usd > 0, false)
    end as has_item_trade
from fact
order by submission_id, sheet, row_number
