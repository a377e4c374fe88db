-- table:  checks.outsourcing_return
-- title:  离岸外包与服务出口 / Offshore outsourcing beside services exports of the same return
-- grain:  one row per current return with FM-3
-- reads:  raw.submission, raw.outsourcing_line, raw.service_trade_line
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-3
-- column: sheet | varchar | sheet as named in the file
-- column: cell | varchar | cell of the first offshore amount executed this month
-- column: business_key | varchar | enterprise
-- column: subject_zh | varchar | 离岸执行额
-- column: subject_en | varchar | offshore executed
-- column: remark | varchar | 说明 of that row
-- column: offshore_executed | double | offshore rows executed this month, declared unit
-- column: export_row_count | bigint | rows of FM-2 with exports above zero
-- column: is_offshore_exported | boolean | exports stand beside offshore execution; empty without offshore execution, or when exports are withheld
-- method: docs/rules.md
with contract as (
    select l.*
    from raw.outsourcing_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    where s.kind = 'return'
      and s.is_current
      and l.month_start_date = $month_start_date
),
offshore as (
    select
        submission_id,
        sum(executed) filter (where shore = 'offshore') as executed
    from contract
    group by submission_id
),
first_offshore as (
    select
        *,
        row_number() over (
            partition by submission_id
            order by
                case when shore = 'offshore' and executed > 0 then 0 when shore = 'offshore' then 1 else 2 end,
                sheet,
                row_number
        ) as place
    from contract
),
export as (
    select
        l.submission_id,
        count(*) filter (where l.amount > 0) as export_row_count,
        count(*) filter (where l.amount is null and l.amount_state in ('withheld', 'invalid')) as unknown_count
    from raw.service_trade_line as l
    where l.month_start_date = $month_start_date
      and l.flow = 'export'
    group by l.submission_id
)
select
    g.month_start_date,
    g.submission_id,
    'FM-3' as form_code,
    g.sheet,
    coalesce(g.executed_cell, g.contract_no_cell) as cell,
    g.enterprise_code as business_key,
    '离岸执行额' as subject_zh,
    'offshore executed' as subject_en,
    g.remark,
    cast(o.executed as double) as offshore_executed,
    coalesce(x.export_row_count, 0) as export_row_count,
    case
        when o.executed > 0 and coalesce(x.export_row_count, 0) > 0 then true
        when o.executed > 0 and coalesce(x.unknown_count, 0) = 0 then false
    end as is_offshore_exported
from first_offshore as g
inner join offshore as o on o.submission_id = g.submission_id
left join export as x on x.submission_id = g.submission_id
where g.place = 1
order by g.submission_id
