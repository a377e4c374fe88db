-- table:  validated.service_trade_line
-- title:  审核通过的服务进出口行 / Rows of FM-2 of accepted returns
-- grain:  one row per accepted current return, sheet row and flow with anything reported
-- reads:  raw.service_trade_line, validated.filing, core.item_ancestor
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: submission_id | varchar | the file it came from
-- column: period_kind | varchar | month or months_1_2
-- column: sheet | varchar | sheet as named in the file
-- column: row_number | integer | row in the sheet, from 1
-- column: flow | varchar | export or import
-- column: item_code | varchar | EBOPS 2010 item, sql/reference
-- column: partner_code | varchar | partner economy, ISO 3166 alpha-3; empty if the return names none
-- column: amount | decimal(30,10) | this period, declared unit; empty when withheld or not reported
-- column: amount_state | varchar | value, zero, withheld or not_applicable
-- column: remote_share_pct | decimal(9,6) | declared share delivered remotely, per cent
-- column: related_party_share_pct | decimal(9,6) | per cent
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: is_subtotal | boolean | items below this one are given for the same partner and flow and none is withheld: not to be summed
-- column: is_covered | boolean | a row above this one stands for it, since a part of that row is withheld: not to be summed
-- column: is_withheld_leaf | boolean | would count, were it not withheld: no row below it says anything and none above covers it
-- column: line_id | varchar | where the figure stands: submission/sheet!cell
-- method: docs/methods/leaf_lines.md
with line as (
    select
        raw_line.*,
        filing.district_code
    from raw.service_trade_line as raw_line
    inner join validated.filing as filing
        on filing.submission_id = raw_line.submission_id
        and filing.month_start_date = raw_line.month_start_date
    where raw_line.month_start_date = $month_start_date
      and raw_line.amount_state is not null
),

-- For every row, what the items listed below it (same return, flow and partner) say. A dash says nothing.
below as (
    select
        line.submission_id,
        line.flow,
        coalesce(line.partner_code, '') as partner_key,
        item.ancestor_code as item_code,
        count(*) filter (where line.amount is not null) as figure_count,
        count(*) filter (where line.amount_state in ('withheld', 'invalid')) as hidden_count
    from line
    inner join core.item_ancestor as item on item.item_code = line.item_code
    where item.distance > 0
    group by line.submission_id, line.flow, coalesce(line.partner_code, ''), item.ancestor_code
),

-- A row with a figure and a withheld part below it stands for all its parts: adding those that are given would
-- lose the hidden one, adding both would count the others twice.
kept_whole as (
    select distinct
        line.submission_id,
        line.flow,
        coalesce(line.partner_code, '') as partner_key,
        line.item_code
    from line
    inner join below
        on below.submission_id = line.submission_id
        and below.flow = line.flow
        and below.partner_key = coalesce(line.partner_code, '')
        and below.item_code = line.item_code
    where line.amount is not null
      and below.hidden_count > 0
),

covered as (
    select distinct
        kept_whole.submission_id,
        kept_whole.flow,
        kept_whole.partner_key,
        item.item_code
    from kept_whole
    inner join core.item_ancestor as item on item.ancestor_code = kept_whole.item_code
    where item.distance > 0
)

select
    line.month_start_date,
    line.enterprise_code,
    line.district_code,
    line.submission_id,
    line.period_kind,
    line.sheet,
    line.row_number,
    line.flow,
    line.item_code,
    line.partner_code,
    line.amount,
    line.amount_state,
    cast(line.remote_share_pct as decimal(9, 6)) as remote_share_pct,
    cast(line.related_party_share_pct as decimal(9, 6)) as related_party_share_pct,
    line.unit_code,
    line.unit_multiplier,
    line.currency_code,
    coalesce(below.figure_count > 0 and below.hidden_count = 0, false) as is_subtotal,
    covered.item_code is not null as is_covered,
    line.amount_state = 'withheld'
    and covered.item_code is null
    and coalesce(below.figure_count + below.hidden_count, 0) = 0 as is_withheld_leaf,
    line.line_id
from line
left join below
    on below.submission_id = line.submission_id
    and below.flow = line.flow
    and below.partner_key = coalesce(line.partner_code, '')
    and below.item_code = line.item_code
left join covered
    on covered.submission_id = line.submission_id
    and covered.flow = line.flow
    and covered.partner_key = coalesce(line.partner_code, '')
    and covered.item_code = line.item_code
order by line.enterprise_code, line.sheet, line.row_number, line.flow
