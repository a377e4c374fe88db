-- table:  checks.service_trade_row
-- title:  服务进出口各行的项目与国别 / Item and partner of each row of FM-2
-- grain:  one row per current return and sheet row
-- reads:  raw.submission, raw.service_trade_line, raw.enterprise, raw.enterprise_profile, core.item_ancestor, reference.ebops_items, reference.partners, reference.industry_items
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | bigint | row in the sheet, from 1
-- column: item_cell | varchar | cell of the item
-- column: partner_cell | varchar | cell of the partner
-- column: business_key | varchar | enterprise/item/partner
-- column: subject_zh | varchar | item × partner
-- column: subject_en | varchar | item × partner
-- column: remark | varchar | 说明
-- column: is_remark_as_before | boolean | the row of this item and partner on the return accepted last before this one had the same remark, but for case, blanks and marks: it says nothing new
-- column: item_code | varchar | as recognised
-- column: item_text | varchar | as typed
-- column: partner_code | varchar | as recognised
-- column: partner_text | varchar | as typed
-- column: is_item_in_version | boolean | the classification in force in the month has the item; empty when it was not recognised
-- column: is_single_item | boolean | the item is one of the twelve or below, not the total of services; empty when it is not in force
-- column: same_listed_cell | varchar | cell of the first row with the same item, partner and flow, where this is not the first
-- column: is_listed_once | boolean | no row before it has the same item, partner and flow
-- column: industry_code | varchar | GB/T 4754-2017, of the register, else of FM-1
-- column: implausible_flow_zh | varchar | flow that the industry does not usually trade in this item
-- column: implausible_flow_en | varchar | the same
-- column: is_industry_plausible | boolean | every flow with an amount is usual for the industry; empty when industry or item is unknown
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code,
        period_start_date
    from raw.submission
    where kind = 'return'
      and is_current
      and month_start_date = $month_start_date
),
line as (
    select l.*
    from raw.service_trade_line as l
    inner join filed as f on f.submission_id = l.submission_id
    where l.month_start_date = $month_start_date
),
sheet_row as (
    select
        month_start_date,
        submission_id,
        enterprise_code,
        sheet,
        row_number,
        item_code,
        min(item_text) as item_text,
        min(item_cell) as item_cell,
        partner_code,
        min(partner_text) as partner_text,
        min(partner_cell) as partner_cell,
        min(remark) as remark,
        count(*) filter (where flow = 'export' and amount > 0) as export_count,
        count(*) filter (where flow = 'import' and amount > 0) as import_count
    from line
    group by month_start_date, submission_id, enterprise_code, sheet, row_number, item_code, partner_code
),
listed as (
    -- rows that say something of the same item, partner and flow, in the order of the sheet
    select
        submission_id,
        sheet,
        row_number,
        row_number() over (
            partition by submission_id, flow, item_code, coalesce(partner_code, '') order by sheet, row_number
        ) as place,
        first_value(coalesce(item_cell, amount_cell, ytd_cell)) over (
            partition by submission_id, flow, item_code, coalesce(partner_code, '') order by sheet, row_number
        ) as first_cell
    from line
    where item_code is not null
      and (
          amount_state in ('value', 'zero', 'withheld', 'invalid')
          or ytd_state in ('value', 'zero', 'withheld', 'invalid')
      )
),
listed_again as (
    select
        submission_id,
        sheet,
        row_number,
        min(first_cell) as first_cell
    from listed
    where place > 1
    group by submission_id, sheet, row_number
),
register_industry as (
    select
        enterprise_code,
        max(industry_code) as industry_code
    from raw.enterprise
    where (from_month_start_date is null or from_month_start_date <= $month_start_date)
      and (to_month_start_date is null or to_month_start_date >= $month_start_date)
    group by enterprise_code
),
profile_industry as (
    select
        submission_id,
        max(industry_code) as industry_code
    from raw.enterprise_profile
    where month_start_date = $month_start_date
    group by submission_id
),
industry as (
    select
        r.*,
        coalesce(nullif(g.industry_code, ''), p.industry_code) as industry_code
    from sheet_row as r
    left join register_industry as g on g.enterprise_code = r.enterprise_code
    left join profile_industry as p on p.submission_id = r.submission_id
),
division as (
    -- 6513 and I6513 are both written; the division is the first two digits
    select
        i.*,
        case
            when substr(i.industry_code, 1, 1) between 'A' and 'T' then substr(i.industry_code, 2, 2)
            else substr(i.industry_code, 1, 2)
        end as division_code,
        a.main_item_code
    from industry as i
    left join core.item_ancestor as a on a.item_code = i.item_code and a.distance = 0
),
plausible as (
    select
        d.*,
        known.division_code is not null as is_division_known,
        usual_export.item_code is not null as is_export_usual,
        usual_import.item_code is not null as is_import_usual
    from division as d
    left join (select distinct division_code from reference.industry_items) as known
        on known.division_code = d.division_code
    left join reference.industry_items as usual_export
        on usual_export.division_code = d.division_code
        and usual_export.item_code = d.main_item_code
        and usual_export.flow = 'export'
    left join reference.industry_items as usual_import
        on usual_import.division_code = d.division_code
        and usual_import.item_code = d.main_item_code
        and usual_import.flow = 'import'
),
-- The return accepted last before this period, and what its rows remarked.
previous_return as (
    select
        f.submission_id,
        s.submission_id as previous_submission_id,
        row_number() over (
            partition by f.submission_id order by s.month_start_date desc, s.submission_id
        ) as place
    from filed as f
    inner join raw.submission as s on s.enterprise_code = f.enterprise_code
    where s.kind = 'return'
      and s.is_current_accepted
      and s.month_start_date < f.period_start_date
      and s.month_start_date >= $month_start_date - interval 13 month
),
remark_before as (
    select distinct
        p.submission_id,
        l.item_code,
        coalesce(l.partner_code, '') as partner_key,
        lower(regexp_replace(l.remark, '[^\p{L}\p{N}]', '', 'g')) as remark_words
    from previous_return as p
    inner join raw.service_trade_line as l on l.submission_id = p.previous_submission_id
    where p.place = 1
      and l.month_start_date >= $month_start_date - interval 13 month
      and l.month_start_date < $month_start_date
      and l.item_code is not null
      and l.remark is not null
)
select
    r.month_start_date,
    r.submission_id,
    'FM-2' as form_code,
    r.sheet,
    cast(r.row_number as bigint) as row_number,
    r.item_cell,
    r.partner_cell,
    r.enterprise_code || '/' || coalesce(r.item_code, '') || '/' || coalesce(r.partner_code, '') as business_key,
    coalesce(r.item_code || ' ' || i.name_zh, r.item_text, '项目未填')
        || ' × ' || coalesce(p.name_zh, r.partner_text, '国别未填') as subject_zh,
    coalesce(r.item_code || ' ' || i.name_en, r.item_text, 'no item')
        || ' × ' || coalesce(p.name_en, r.partner_text, 'no partner') as subject_en,
    r.remark,
    rb.submission_id is not null as is_remark_as_before,
    r.item_code,
    r.item_text,
    r.partner_code,
    r.partner_text,
    case
        when r.item_code is not null
            then i.item_code is not null
    end as is_item_in_version,
    case when i.item_code is not null then i.level >= 1 end as is_single_item,
    d.first_cell as same_listed_cell,
    d.submission_id is null as is_listed_once,
    r.industry_code,
    case when r.export_count > 0 and not r.is_export_usual then '出口' else '进口' end as implausible_flow_zh,
    case when r.export_count > 0 and not r.is_export_usual then 'export' else 'import' end as implausible_flow_en,
    case
        when r.is_division_known and r.main_item_code is not null
            then (r.export_count = 0 or r.is_export_usual) and (r.import_count = 0 or r.is_import_usual)
    end as is_industry_plausible
from plausible as r
left join reference.ebops_items as i
    on i.item_code = r.item_code
    and i.valid_from <= r.month_start_date
    and (i.valid_until is null or i.valid_until >= r.month_start_date)
left join reference.partners as p on p.partner_code = r.partner_code
left join listed_again as d
    on d.submission_id = r.submission_id and d.sheet = r.sheet and d.row_number = r.row_number
left join remark_before as rb
    on rb.submission_id = r.submission_id
    and rb.item_code = r.item_code
    and rb.partner_key = coalesce(r.partner_code, '')
    and rb.remark_words = lower(regexp_replace(r.remark, '[^\p{L}\p{N}]', '', 'g'))
order by r.submission_id, r.sheet, r.row_number
