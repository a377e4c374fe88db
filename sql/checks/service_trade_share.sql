-- table:  checks.service_trade_share
-- title:  占比各格 / Every share on FM-2
-- grain:  one row per current return and share cell
-- reads:  raw.submission, raw.return_cell, raw.service_trade_line, reference.ebops_items, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the share
-- column: business_key | varchar | enterprise/item/partner/field
-- column: subject_zh | varchar | item × partner × which share
-- column: subject_en | varchar | item × partner × which share
-- column: remark | varchar | 说明
-- column: is_remark_as_before | boolean | the row of this item and partner on the return accepted last before this one had the same remark, but for case, blanks and marks: it says nothing new
-- column: share_text | varchar | as typed
-- column: share_pct | double | per cent; empty when withheld or not applicable
-- column: share_as_fraction_pct | double | where the share is above 0 and at most 1 without a percent sign: what it means if a fraction was typed; empty otherwise
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
sheet_row as (
    select
        submission_id,
        sheet,
        row_number,
        min(item_code) as item_code,
        min(partner_code) as partner_code,
        min(remark) as remark
    from raw.service_trade_line
    where month_start_date = $month_start_date
    group by submission_id, sheet, row_number
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
    s.month_start_date,
    s.submission_id,
    c.form_code,
    c.sheet,
    c.cell,
    s.enterprise_code || '/' || coalesce(r.item_code, '') || '/' || coalesce(r.partner_code, '') || '/' || c.field
        as business_key,
    coalesce(r.item_code || ' ' || i.name_zh, '项目未填') || ' × ' || coalesce(p.name_zh, '国别未填') || ' × '
        || case c.field
            when 'export_remote_share_pct' then '出口远程提供占比'
            when 'import_remote_share_pct' then '进口远程提供占比'
            else '关联企业交易占比'
        end as subject_zh,
    coalesce(r.item_code || ' ' || i.name_en, 'no item') || ' × ' || coalesce(p.name_en, 'no partner') || ' × '
        || case c.field
            when 'export_remote_share_pct' then 'remote share of exports'
            when 'import_remote_share_pct' then 'remote share of imports'
            else 'related-party share'
        end as subject_en,
    r.remark,
    rb.submission_id is not null as is_remark_as_before,
    c.text as share_text,
    cast(c.number as double) as share_pct,
    -- the reader writes the sign where the cell shows it: 0.95 formatted as a percentage comes as 95%
    case
        when c.number > 0 and c.number <= 1 and strpos(translate(c.text, '％﹪', '%%'), '%') = 0
            then cast(c.number * 100 as double)
    end as share_as_fraction_pct
from raw.return_cell as c
inner join raw.submission as s on s.submission_id = c.submission_id
left join sheet_row as r
    on r.submission_id = c.submission_id and r.sheet = c.sheet and r.row_number = c.row_number
left join reference.ebops_items as i
    on i.item_code = r.item_code
    and i.valid_from <= s.month_start_date
    and (i.valid_until is null or i.valid_until >= s.month_start_date)
left join reference.partners as p on p.partner_code = r.partner_code
left join remark_before as rb
    on rb.submission_id = r.submission_id
    and rb.item_code = r.item_code
    and rb.partner_key = coalesce(r.partner_code, '')
    and rb.remark_words = lower(regexp_replace(r.remark, '[^\p{L}\p{N}]', '', 'g'))
where s.kind = 'return'
  and s.is_current
  and s.month_start_date = $month_start_date
  and c.month_start_date = $month_start_date
  and c.form_code = 'FM-2'
  and c.section = 'row'
  and c.field in ('export_remote_share_pct', 'import_remote_share_pct', 'related_party_share_pct')
order by s.submission_id, c.sheet, c.row_number, c.cell
