-- table:  checks.return_sheet
-- title:  各表表头：报告期、计量单位、单位名称 / The head of each sheet of a return: period, unit, name
-- grain:  one row per current return and sheet with a period, a unit or a name in its head
-- reads:  raw.submission, raw.return_cell, raw.enterprise, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | form
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the period
-- column: unit_cell | varchar | cell of the unit
-- column: name_cell | varchar | cell of the enterprise's name
-- column: business_key | varchar | enterprise
-- column: subject_zh | varchar | empty: the place says enough
-- column: subject_en | varchar | empty
-- column: period_text | varchar | as typed on this sheet
-- column: return_period_text | varchar | period under which the return is filed, 2026-03
-- column: is_period_of_return | boolean | the sheet has the period of the return; empty when it has none that can be read, and on forms with a period of their own
-- column: unit_zh | varchar | unit of this sheet
-- column: unit_en | varchar | the same
-- column: previous_unit_zh | varchar | unit of the same form in the enterprise's latest accepted return of an earlier month, up to twelve months back
-- column: previous_unit_en | varchar | the same
-- column: previous_period_text | varchar | month of that return, 2026-02
-- column: is_unit_as_before | boolean | the sheet has the unit of that return; empty when either has none
-- column: services_unit_zh | varchar | unit of the sheet FM-2 of the same return
-- column: services_unit_en | varchar | the same
-- column: is_unit_of_services | boolean | a monthly sheet of contracts (FM-3, FM-6) has the unit of FM-2 of the same return; empty on other sheets and where either has none
-- column: enterprise_name | varchar | as typed on this sheet
-- column: register_name | varchar | name of the enterprise on the register in the month; of another month if it has none then
-- column: first_name_sheet | varchar | first sheet of the return with a name
-- column: first_name | varchar | the name on it
-- column: is_name_as_registered | boolean | the name is the register's but for letter forms, blanks, brackets and 有限公司; asked of the first sheet with this name, empty on others
-- column: is_name_as_on_first_sheet | boolean | the name is that of the first sheet with a name, but for the same; empty on that sheet
-- method: docs/rules.md
with filed as (
    select
        submission_id,
        enterprise_code,
        month_start_date,
        period_start_date
    from raw.submission
    where kind = 'return'
      and is_current
      and month_start_date = $month_start_date
),
head as (
    select
        f.submission_id,
        c.form_code,
        c.sheet,
        min(c.cell) filter (where c.field = 'reference_month') as period_cell,
        min(c.text) filter (where c.field = 'reference_month') as period_text,
        min(c.day) filter (where c.field = 'reference_month') as period_start_date,
        min(c.cell) filter (where c.field = 'unit') as unit_cell,
        min(c.code) filter (where c.field = 'unit') as unit_code,
        min(c.cell) filter (where c.field = 'enterprise_name') as name_cell,
        min(c.text) filter (where c.field = 'enterprise_name') as name,
        count(*) filter (where c.field = 'sheet_period') as own_period_count
    from raw.return_cell as c
    inner join filed as f on f.submission_id = c.submission_id
    where c.month_start_date = $month_start_date
      and c.section = 'head'
      and c.field in ('reference_month', 'unit', 'enterprise_name', 'sheet_period')
    group by f.submission_id, c.form_code, c.sheet
),
-- Every accepted return of the months before, and the units of its forms. One form on two sheets may have two units.
earlier_unit as (
    select
        s.enterprise_code,
        c.form_code,
        s.month_start_date,
        c.code as unit_code,
        dense_rank() over (
            partition by s.enterprise_code, c.form_code order by s.month_start_date desc
        ) as age
    from raw.return_cell as c
    inner join raw.submission as s on s.submission_id = c.submission_id
    where s.kind = 'return'
      and s.is_current_accepted
      and c.month_start_date < $month_start_date
      and c.month_start_date >= $month_start_date - interval 12 month
      and c.section = 'head'
      and c.field = 'unit'
      and c.code is not null
      and s.enterprise_code in (select enterprise_code from filed)
),
unit_before as (
    select
        h.submission_id,
        h.sheet,
        h.form_code,
        bool_or(e.unit_code = h.unit_code) as is_as_before,
        min(e.unit_code) as unit_code,
        max(e.month_start_date) as month_start_date
    from head as h
    inner join filed as f on f.submission_id = h.submission_id
    inner join earlier_unit as e
        on e.enterprise_code = f.enterprise_code
        and e.form_code = h.form_code
        and e.age = 1
    where h.unit_code is not null
    group by h.submission_id, h.sheet, h.form_code
),
-- Names are compared without what clerks write in several ways: full-width letters, blanks, brackets, 有限公司.
typed_name as (
    select submission_id, sheet, form_code, name from head where name is not null
),
register_spell as (
    select
        f.submission_id,
        e.enterprise_name as name,
        (e.from_month_start_date is null or e.from_month_start_date <= f.month_start_date)
            and (e.to_month_start_date is null or e.to_month_start_date >= f.month_start_date) as is_covering
    from filed as f
    inner join raw.enterprise as e on e.enterprise_code = f.enterprise_code
    where e.enterprise_name is not null
),
register_name as (
    select
        submission_id,
        name
    from (
        select
            submission_id,
            name,
            is_covering,
            max(case when is_covering then 1 else 0 end) over (partition by submission_id) as has_covering
        from register_spell
    ) as spell
    where is_covering or has_covering = 0
),
compared_name as (
    select
        text,
        regexp_replace(
            replace(
                replace(
                    replace(
                        upper(
                            translate(
                                text,
                                '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ＆．，－／',
                                '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz&.,-/'
                            )
                        ),
                        '股份有限公司',
                        ''
                    ),
                    '有限责任公司',
                    ''
                ),
                '有限公司',
                ''
            ),
            '[\s\x{00A0}\x{3000}()（）\[\]［］【】〔〕《》<>]',
            '',
            'g'
        ) as plain
    from (
        select name as text from typed_name
        union
        select name as text from register_name
    ) as name
),
name_place as (
    select
        t.submission_id,
        t.sheet,
        t.form_code,
        n.plain,
        row_number() over (
            partition by t.submission_id, n.plain
            order by case when t.form_code = 'FM-2' then 0 else 1 end, t.form_code, t.sheet
        ) as place_among_same,
        row_number() over (
            partition by t.submission_id
            order by case when t.form_code = 'FM-2' then 0 else 1 end, t.form_code, t.sheet
        ) as place,
        first_value(t.sheet) over (
            partition by t.submission_id
            order by case when t.form_code = 'FM-2' then 0 else 1 end, t.form_code, t.sheet
        ) as first_sheet,
        first_value(t.name) over (
            partition by t.submission_id
            order by case when t.form_code = 'FM-2' then 0 else 1 end, t.form_code, t.sheet
        ) as first_name,
        first_value(n.plain) over (
            partition by t.submission_id
            order by case when t.form_code = 'FM-2' then 0 else 1 end, t.form_code, t.sheet
        ) as first_plain
    from typed_name as t
    inner join compared_name as n on n.text = t.name
),
registered as (
    select
        p.submission_id,
        p.sheet,
        p.form_code,
        bool_or(n.plain = p.plain) as is_as_registered,
        max(r.name) as name
    from name_place as p
    inner join register_name as r on r.submission_id = p.submission_id
    inner join compared_name as n on n.text = r.name
    group by p.submission_id, p.sheet, p.form_code
),
services_unit as (
    select submission_id, max(unit_code) as unit_code
    from head
    where form_code = 'FM-2'
    group by submission_id
    having count(distinct unit_code) = 1
)
select
    f.month_start_date,
    f.submission_id,
    h.form_code,
    h.sheet,
    h.period_cell as cell,
    h.unit_cell,
    h.name_cell,
    f.enterprise_code as business_key,
    cast(null as varchar) as subject_zh,
    cast(null as varchar) as subject_en,
    h.period_text,
    substr(cast(f.month_start_date as varchar), 1, 7) as return_period_text,
    -- what a form with a period of its own says is judged in checks.period_sheet
    case when h.own_period_count = 0 then h.period_start_date = f.period_start_date end as is_period_of_return,
    u.label_zh as unit_zh,
    u.label_en as unit_en,
    v.label_zh as previous_unit_zh,
    v.label_en as previous_unit_en,
    substr(cast(b.month_start_date as varchar), 1, 7) as previous_period_text,
    b.is_as_before as is_unit_as_before,
    w.label_zh as services_unit_zh,
    w.label_en as services_unit_en,
    case when h.form_code in ('FM-3', 'FM-6') then h.unit_code = x.unit_code end as is_unit_of_services,
    h.name as enterprise_name,
    r.name as register_name,
    p.first_sheet as first_name_sheet,
    p.first_name,
    case when p.place_among_same = 1 then r.is_as_registered end as is_name_as_registered,
    case when p.place > 1 then p.plain = p.first_plain end as is_name_as_on_first_sheet
from head as h
inner join filed as f on f.submission_id = h.submission_id
left join unit_before as b
    on b.submission_id = h.submission_id and b.sheet = h.sheet and b.form_code = h.form_code
left join reference.units as u on u.unit_code = h.unit_code
left join reference.units as v on v.unit_code = b.unit_code
left join services_unit as x on x.submission_id = h.submission_id
left join reference.units as w on w.unit_code = x.unit_code
left join name_place as p
    on p.submission_id = h.submission_id and p.sheet = h.sheet and p.form_code = h.form_code
left join registered as r
    on r.submission_id = h.submission_id and r.sheet = h.sheet and r.form_code = h.form_code
order by f.submission_id, h.form_code, h.sheet
