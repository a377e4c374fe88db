-- table:  checks.outsourcing_partner
-- title:  各国别离岸外包与服务出口 / Offshore outsourcing beside services exports, partner by partner
-- grain:  one row per current return and partner with offshore amounts executed
-- reads:  raw.submission, raw.outsourcing_line, raw.service_trade_line, core.exchange_rate, core.item_ancestor, reference.partners
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-3
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the largest offshore amount executed for the partner
-- column: business_key | varchar | enterprise/partner
-- column: subject_zh | varchar | 离岸执行额 × partner
-- column: subject_en | varchar | offshore executed × partner
-- column: remark | varchar | 说明 of that row
-- column: partner_code | varchar | economy of the customers
-- column: partner_zh | varchar | its name
-- column: partner_en | varchar | its name
-- column: offshore_usd | double | executed this month on offshore contracts with the partner, US dollars
-- column: export_usd | double | exports to the partner of items that outsourcing is recorded in (SH, SI, SJ, SK), US dollars; 0 where FM-2 has none
-- column: offshore_10k_usd | double | offshore_usd in 万美元
-- column: export_10k_usd | double | export_usd in 万美元
-- column: all_offshore_10k_usd | double | executed on offshore contracts with all partners, 万美元
-- column: all_export_10k_usd | double | exports of these items to all partners, 万美元
-- column: offshore_over_export | double | offshore_usd over export_usd, where offshore contracts of all partners together exceed these exports to all; empty otherwise, where there is no such export at all (Q8 asks), or where a figure is withheld
-- method: docs/rules.md
with rate as (
    select currency_code, usd_per_unit
    from core.exchange_rate
    where month_start_date = $month_start_date
    union
    select 'USD' as currency_code, cast(1 as decimal(18, 16)) as usd_per_unit
),
contract as (
    select
        l.submission_id,
        l.enterprise_code,
        l.month_start_date,
        l.sheet,
        l.row_number,
        l.partner_code,
        l.executed_cell,
        l.remark,
        cast(l.executed as double) * cast(l.unit_multiplier as double) * cast(r.usd_per_unit as double) as executed_usd
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    left join rate as r on r.currency_code = l.currency_code
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
      and l.shore = 'offshore'
      and l.partner_code is not null
      and l.executed > 0
),
offshore as (
    select
        submission_id,
        enterprise_code,
        month_start_date,
        partner_code,
        case when count(executed_usd) = count(*) then sum(executed_usd) end as offshore_usd
    from contract
    group by submission_id, enterprise_code, month_start_date, partner_code
),
all_offshore as (
    select
        submission_id,
        case when count(offshore_usd) = count(*) then sum(offshore_usd) end as offshore_usd
    from offshore
    group by submission_id
),
largest as (
    select
        *,
        row_number() over (partition by submission_id, partner_code order by executed_usd desc, sheet, row_number) as place
    from contract
),
-- Leaf rows only: a row whose item is an ancestor of another row's on the same return repeats it.
export_line as (
    select
        l.submission_id,
        l.partner_code,
        l.item_code,
        l.amount_state,
        cast(l.amount as double) * cast(l.unit_multiplier as double) * cast(r.usd_per_unit as double) as amount_usd
    from raw.service_trade_line as l
    left join rate as r on r.currency_code = l.currency_code
    where l.month_start_date = $month_start_date
      and l.flow = 'export'
      and substr(l.item_code, 1, 2) in ('SH', 'SI', 'SJ', 'SK')
      and l.submission_id in (select submission_id from offshore)
),
parent as (
    select distinct a.submission_id, a.item_code
    from export_line as a
    inner join export_line as b on b.submission_id = a.submission_id and b.item_code <> a.item_code
    inner join core.item_ancestor as i on i.item_code = b.item_code and i.ancestor_code = a.item_code
),
leaf as (
    select e.*
    from export_line as e
    left join parent as p on p.submission_id = e.submission_id and p.item_code = e.item_code
    where p.item_code is null
),
exported as (
    select
        submission_id,
        partner_code,
        sum(amount_usd) as export_usd
    from leaf
    group by submission_id, partner_code
),
known as (
    select
        submission_id,
        sum(amount_usd) as export_usd,
        sum(case when amount_state in ('withheld', 'invalid') or partner_code is null or partner_code in ('W1', '_X') then 1 else 0 end) as unknown_count
    from leaf
    group by submission_id
)
select
    o.month_start_date,
    o.submission_id,
    'FM-3' as form_code,
    g.sheet,
    g.executed_cell as cell,
    o.enterprise_code || '/' || o.partner_code as business_key,
    '离岸执行额 × ' || coalesce(p.name_zh, o.partner_code) as subject_zh,
    'offshore executed × ' || coalesce(p.name_en, o.partner_code) as subject_en,
    g.remark,
    o.partner_code,
    coalesce(p.name_zh, o.partner_code) as partner_zh,
    coalesce(p.name_en, o.partner_code) as partner_en,
    o.offshore_usd,
    coalesce(x.export_usd, 0) as export_usd,
    o.offshore_usd / 10000 as offshore_10k_usd,
    coalesce(x.export_usd, 0) / 10000 as export_10k_usd,
    a.offshore_usd / 10000 as all_offshore_10k_usd,
    k.export_usd / 10000 as all_export_10k_usd,
    -- Customers pay through other places, so one partner alone says little: asked where the sum does not hold either.
    case
        when k.export_usd > 0 and k.unknown_count = 0 and a.offshore_usd > k.export_usd
            then o.offshore_usd / greatest(coalesce(x.export_usd, 0), 0.01)
    end as offshore_over_export
from offshore as o
inner join all_offshore as a on a.submission_id = o.submission_id
inner join largest as g on g.submission_id = o.submission_id and g.partner_code = o.partner_code and g.place = 1
left join exported as x on x.submission_id = o.submission_id and x.partner_code = o.partner_code
left join known as k on k.submission_id = o.submission_id
left join reference.partners as p on p.partner_code = o.partner_code
order by o.submission_id, o.partner_code
