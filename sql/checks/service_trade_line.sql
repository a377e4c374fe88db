-- table:  checks.service_trade_line
-- title:  服务进出口各格的事实 / Facts about each amount of FM-2
-- grain:  one row per current return, sheet row and flow with something reported
-- reads:  raw.submission, raw.service_trade_line, core.exchange_rate, core.item_ancestor, reference.ebops_items, reference.partners, reference.slip_explanations, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: form_code | varchar | FM-2
-- column: sheet | varchar | sheet as named in the file
-- column: amount_cell | varchar | cell of this month's amount
-- column: ytd_cell | varchar | cell of the amount since January
-- column: business_key | varchar | enterprise/item/partner/flow
-- column: subject_zh | varchar | item × partner × flow
-- column: subject_en | varchar | item × partner × flow
-- column: remark | varchar | 说明
-- column: is_remark_as_before | boolean | the row of this item and partner on the return accepted last before this one had the same remark, but for case, blanks and marks: it says nothing new
-- column: flow | varchar | export or import
-- column: item_code | varchar | as recognised
-- column: partner_code | varchar | as recognised
-- column: unit_zh | varchar | declared unit
-- column: unit_en | varchar | declared unit
-- column: amount | double | this month, declared unit; empty when blank, withheld or not applicable
-- column: amount_text | varchar | as typed
-- column: ytd_amount | double | January to this month, declared unit
-- column: ytd_text | varchar | as typed
-- column: amount_that_must_not_be_negative | double | this month; empty where a negative amount may be right and is asked about instead
-- column: amount_that_may_be_negative | double | this month, imports of insurance and rows explained as refunds
-- column: ytd_that_must_not_be_negative | double | likewise, since January
-- column: ytd_that_may_be_negative | double | likewise, since January
-- column: summed_amount | double | this month as it enters the sum since January: 0 where it is — (not applicable); over all rows of an item and partner listed more than once, said at the first of them
-- column: summed_ytd_amount | double | since January, likewise
-- column: previous_ytd_amount | double | since January up to the month before, declared unit: 0 in January and for a row new this year; empty if unknown
-- column: expected_ytd_amount | double | previous_ytd_amount plus summed_amount
-- column: ytd_basis_zh | varchar | what the amount since January should be made of, in words: the period's own figure in January (and January-February), else last month's and this month's
-- column: ytd_basis_en | varchar | the same
-- column: ytd_gap | double | summed_ytd_amount less expected_ytd_amount, exact in decimals before it is a double
-- column: ytd_gap_in_last_digits | double | the gap's size in units of the last printed digit
-- column: unreported_change | double | where this month is blank: ytd_amount less previous_ytd_amount
-- column: unreported_change_in_last_digits | double | its size in units of the last printed digit
-- column: partner_cell | varchar | cell of the partner
-- column: named_partner_row_count | bigint | on a row of the whole world (世界): rows of single partners for the same item and flow; empty on other rows
-- column: amount_in_currency_units | double | size of this month's amount, currency units
-- column: ytd_in_currency_units | double | size of the amount since January, currency units
-- column: last_month_amount | double | accepted for the month before, declared unit of this return; where one of the two is January-February together, by the month and over the months of this return
-- column: last_month_name_zh | varchar | what last_month_amount is, in words: 上月, or half of January-February, or twice December
-- column: last_month_name_en | varchar | the same
-- column: growth_on_last_month_pct | double | of the amount by the month, in US dollars; empty unless the month before is above zero
-- column: larger_with_last_month_usd | double | the larger of the two, in US dollars
-- column: last_year_amount | double | accepted for the same month last year, declared unit of this return; January-February together against the two months, by the month where one is missing
-- column: last_year_name_zh | varchar | what last_year_amount is, in words
-- column: last_year_name_en | varchar | the same
-- column: growth_on_last_year_pct | double | of the amount by the month, in US dollars; empty unless the base is above zero
-- column: larger_with_last_year_usd | double | the larger of the two, in US dollars
-- column: is_same_as_last_month | boolean | equal to the last digit; empty for round figures (under three significant digits), for copied rows and for items that sum up others
-- column: is_row_copied | boolean | all of the row's figures equal last month's, two or more of them above zero; said once a row, and of the items below rather than of their sum
-- column: history_amount | double | median of the last twelve accepted months above zero, declared unit and months of this return (a January-February return counts by the month: halved in the median, doubled on a joint return); empty where the level was accepted last month or a year ago
-- column: history_name_zh | varchar | what history_amount is, in words
-- column: history_name_en | varchar | the same
-- column: history_month_count | bigint | months in that median
-- column: history_basis | varchar | line, or flow where the line has no history of its own and makes most of the flow
-- column: ratio_to_history | double | amount over history_amount (over the flow's, where history_basis is flow)
-- column: larger_with_history_usd | double | the larger of the two, in US dollars
-- column: slip_odds | double | odds of the likeliest slip (a factor of 10, 100, 1,000, 10,000 or 10^8, or the month's exchange rate, up or down) against the amount being right as filed; empty if the level was accepted last month or a year ago
-- column: slip_kind_zh | varchar | what the likeliest slip would be
-- column: slip_kind_en | varchar | the same
-- column: slip_chances_zh | varchar | the two likeliest slips and being right as filed, each with its probability
-- column: slip_chances_en | varchar | the same
-- column: slip_suggestion | double | the amount without the likeliest slip, declared unit; a suggestion, never applied
-- column: nonzero_month_count_before_zero | bigint | for an amount of zero: months above zero among the twelve before; January-February together count as two
-- method: docs/methods/slips.md
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
dollar as (
    select
        month_start_date,
        currency_code,
        cast(usd_per_unit as double) as usd_per_unit,
        cast(cny_per_unit as double) as cny_per_unit
    from core.exchange_rate
    where month_start_date >= $month_start_date - interval 13 month
      and month_start_date <= $month_start_date
),
filed_line as (
    select
        l.*,
        coalesce(l.partner_code, '') as partner_key,
        f.period_start_date,
        -- January and February together are set against single months, and these against them, by the month
        case when l.period_kind = 'months_1_2' then 2 else 1 end as month_count,
        -- a key listed twice cannot be set against one figure of last month
        count(*) over (
            partition by l.submission_id, l.flow, l.item_code, l.partner_code
        ) as same_key_count,
        row_number() over (
            partition by l.submission_id, l.flow, l.item_code, l.partner_code order by l.sheet, l.row_number
        ) as place_in_key,
        case when l.currency_code = 'USD' then 1.0 else r.usd_per_unit end as usd_per_currency_unit,
        cast(l.amount as double) * cast(l.unit_multiplier as double)
            * case when l.currency_code = 'USD' then 1.0 else r.usd_per_unit end as amount_usd,
        -- insurance pays back more than it takes in; refunds are entered as negative amounts
        (l.flow = 'import' and coalesce(substr(l.item_code, 1, 2), '') = 'SF')
            or strpos(coalesce(l.remark, ''), '退款') > 0
            or strpos(coalesce(l.remark, ''), '退费') > 0
            or strpos(coalesce(l.remark, ''), '冲销') > 0
            or strpos(coalesce(l.remark, ''), '冲减') > 0
            or strpos(coalesce(l.remark, ''), '红冲') > 0
            or strpos(lower(coalesce(l.remark, '')), 'refund') > 0
            or strpos(lower(coalesce(l.remark, '')), 'reversal') > 0 as may_be_negative
    from raw.service_trade_line as l
    inner join filed as f on f.submission_id = l.submission_id
    left join dollar as r
        on r.month_start_date = l.month_start_date and r.currency_code = l.currency_code
    where l.month_start_date = $month_start_date
      and (l.amount_state is not null or l.ytd_state is not null)
),
-- Only a line that stands once on its return is set against history. Said in the key and not beside it: a condition on
-- the left side alone makes an outer join compare every line with every line of history.
line as (
    select
        *,
        amount_usd / month_count as level_usd,
        period_start_date - interval 1 month as month_before_date,
        period_start_date - interval 12 month as history_start_date,
        case when same_key_count = 1 then item_code end as single_item_code
    from filed_line
),
history as (
    select
        l.enterprise_code,
        l.month_start_date,
        l.flow,
        l.item_code,
        coalesce(l.partner_code, '') as partner_key,
        l.submission_id,
        l.period_kind,
        l.amount,
        l.ytd_amount,
        l.ytd_state,
        l.unit_code,
        l.unit_multiplier,
        l.currency_code,
        case when l.period_kind = 'months_1_2' then 2 else 1 end as month_count,
        case when l.period_kind = 'months_1_2' then l.month_start_date - interval 1 month else l.month_start_date end
            as first_month_date,
        cast(l.amount as double) * cast(l.unit_multiplier as double)
            * case when l.currency_code = 'USD' then 1.0 else r.usd_per_unit end as amount_usd
    from raw.service_trade_line as l
    inner join raw.submission as s on s.submission_id = l.submission_id
    left join dollar as r
        on r.month_start_date = l.month_start_date and r.currency_code = l.currency_code
    where s.is_current_accepted
      and l.month_start_date >= $month_start_date - interval 13 month
      and l.month_start_date < $month_start_date
      and l.enterprise_code in (select enterprise_code from filed)
      and l.item_code is not null
      and (l.amount_state is not null or l.ytd_state is not null)
),
listed_twice as (
    select
        enterprise_code,
        month_start_date,
        flow,
        item_code,
        partner_key
    from history
    group by enterprise_code, month_start_date, flow, item_code, partner_key
    having count(*) > 1
),
accepted as (
    select
        h.*,
        h.amount_usd / h.month_count as level_usd,
        d.enterprise_code is not null as is_listed_twice
    from history as h
    left join listed_twice as d
        on d.enterprise_code = h.enterprise_code
        and d.month_start_date = h.month_start_date
        and d.flow = h.flow
        and d.item_code = h.item_code
        and d.partner_key = h.partner_key
),
-- Accepted months of the year before this one, and how many months are covered after each.
accepted_return as (
    select
        enterprise_code,
        month_start_date,
        max(case when period_kind = 'months_1_2' then 2 else 1 end) as covered_month_count
    from raw.submission
    where kind = 'return'
      and is_current_accepted
      and month_start_date < $month_start_date
      and extract(year from month_start_date) = extract(year from $month_start_date)
      and enterprise_code in (select enterprise_code from filed)
    group by enterprise_code, month_start_date
),
covered_after as (
    select
        enterprise_code,
        month_start_date,
        coalesce(sum(covered_month_count) over (
            partition by enterprise_code
            order by month_start_date desc
            rows between unbounded preceding and 1 preceding
        ), 0) as month_count_after
    from accepted_return
),
covered_year as (
    select
        enterprise_code,
        sum(covered_month_count) as month_count
    from accepted_return
    group by enterprise_code
),
latest_this_year as (
    select
        a.*,
        c.month_count_after,
        -- rows that list one key twice in a return have the same age
        rank() over (
            partition by a.enterprise_code, a.flow, a.item_code, a.partner_key
            order by a.month_start_date desc, a.submission_id
        ) as age
    from accepted as a
    inner join covered_after as c
        on c.enterprise_code = a.enterprise_code and c.month_start_date = a.month_start_date
),
-- What was accepted last this year, of a key listed twice the sum of its rows. — (not applicable) counts as nothing
-- in a sum; a blank is not reported and leaves the sum unknown, as a withheld figure does.
latest_key as (
    select
        enterprise_code,
        flow,
        item_code,
        partner_key,
        month_start_date,
        month_count_after,
        submission_id,
        unit_code,
        unit_multiplier,
        currency_code,
        case
            when count(*) = count(*) filter (where ytd_state in ('value', 'zero', 'not_applicable'))
                then sum(case when ytd_state = 'not_applicable' then 0 else ytd_amount end)
        end as ytd_amount
    from latest_this_year
    where age = 1
    group by
        enterprise_code, flow, item_code, partner_key, month_start_date, month_count_after, submission_id,
        unit_code, unit_multiplier, currency_code
),
-- This return likewise.
key_sum as (
    select
        submission_id,
        flow,
        item_code,
        partner_key,
        case
            when count(*) = count(*) filter (where amount_state in ('value', 'zero', 'not_applicable'))
                then sum(case when amount_state = 'not_applicable' then 0 else amount end)
        end as amount,
        count(*) = count(*) filter (where amount_state is null) as is_month_blank,
        case
            when count(*) = count(*) filter (where ytd_state in ('value', 'zero', 'not_applicable'))
                then sum(case when ytd_state = 'not_applicable' then 0 else ytd_amount end)
        end as ytd_amount
    from line
    group by submission_id, flow, item_code, partner_key
),
-- 世界 adds up the economies beside it: listed with one of them, something is counted twice.
with_figure as (
    select
        submission_id,
        flow,
        item_code,
        coalesce(p.partner_kind, '') = 'world' as is_world
    from line as l
    left join reference.partners as p on p.partner_code = l.partner_code
    where l.partner_code is not null
      and l.item_code is not null
      and (l.amount_state in ('value', 'withheld') or l.ytd_state in ('value', 'withheld'))
),
beside_world as (
    select
        submission_id,
        flow,
        item_code,
        count(*) filter (where not is_world) as named_partner_row_count
    from with_figure
    group by submission_id, flow, item_code
    having count(*) filter (where is_world) > 0
),
-- Last printed digit of a return: the finest one used on it, but not finer than the form asks for.
read_for_digits as (
    select submission_id from filed
    union
    select submission_id from latest_this_year where age = 1
),
figure as (
    select
        l.submission_id,
        l.amount as figure
    from raw.service_trade_line as l
    inner join read_for_digits as w on w.submission_id = l.submission_id
    where l.month_start_date >= $month_start_date - interval 12 month
      and l.month_start_date <= $month_start_date
    union all
    select
        l.submission_id,
        l.ytd_amount as figure
    from raw.service_trade_line as l
    inner join read_for_digits as w on w.submission_id = l.submission_id
    where l.month_start_date >= $month_start_date - interval 12 month
      and l.month_start_date <= $month_start_date
),
decimals as (
    select
        submission_id,
        max(
            case
                when digits is null or digits = cast(digits as decimal(18, 0)) then 0
                when digits = cast(digits as decimal(18, 1)) then 1
                when digits = cast(digits as decimal(18, 2)) then 2
                when digits = cast(digits as decimal(18, 3)) then 3
                when digits = cast(digits as decimal(18, 4)) then 4
                when digits = cast(digits as decimal(18, 5)) then 5
                else 6
            end
        ) as decimal_count
    from (
        -- six decimals are the finest asked for; a figure too large for them has none that matter
        select
            submission_id,
            try_cast(cast(figure as double) as decimal(18, 6)) as digits
        from figure
        where figure is not null
    ) as cut
    group by submission_id
),
ytd as (
    select
        l.submission_id,
        l.sheet,
        l.row_number,
        l.flow,
        case
            when extract(month from l.period_start_date) = 1 then 0
            when k.submission_id is not null then
                case
                    when k.month_count_after <> extract(month from l.month_start_date)
                        - 1 - extract(month from k.month_start_date) then null
                    when k.unit_code = l.unit_code then k.ytd_amount
                    when k.currency_code = l.currency_code
                        then try_cast(
                            cast(k.ytd_amount as double) * cast(k.unit_multiplier as double)
                            / cast(l.unit_multiplier as double) as decimal(30, 10)
                        )
                end
            -- a partner that was not recognised is not a new one: nobody knows what it had before
            when y.month_count = extract(month from l.month_start_date) - 1 and l.partner_code is not null then 0
        end as previous_ytd_amount,
        g.amount,
        g.is_month_blank,
        g.ytd_amount,
        case when d.decimal_count <= c.most_decimals then d.decimal_count else c.most_decimals end as decimal_count,
        case
            when k.unit_code = l.unit_code and kd.decimal_count <= c.most_decimals then kd.decimal_count
            when k.unit_code = l.unit_code then c.most_decimals
        end as previous_decimal_count
    from line as l
    inner join key_sum as g
        on g.submission_id = l.submission_id
        and g.flow = l.flow
        and g.item_code = l.item_code
        and g.partner_key = l.partner_key
    left join latest_key as k
        on k.enterprise_code = l.enterprise_code
        and k.flow = l.flow
        and k.item_code = l.item_code
        and k.partner_key = l.partner_key
    left join covered_year as y on y.enterprise_code = l.enterprise_code
    left join decimals as d on d.submission_id = l.submission_id
    left join decimals as kd on kd.submission_id = k.submission_id
    inner join (
        select
            unit_code,
            case when unit_multiplier >= 1000000 then 6 else 2 end as most_decimals
        from reference.units
    ) as c on c.unit_code = l.unit_code
    where l.place_in_key = 1
),
ytd_gap as (
    select
        y.submission_id,
        y.sheet,
        y.row_number,
        y.flow,
        y.amount as summed_amount,
        y.ytd_amount as summed_ytd_amount,
        y.previous_ytd_amount,
        y.previous_ytd_amount + y.amount as expected_ytd_amount,
        y.ytd_amount - (y.previous_ytd_amount + y.amount) as gap,
        case when y.is_month_blank then y.ytd_amount - y.previous_ytd_amount end as unreported_change,
        case
            when y.previous_decimal_count < y.decimal_count then y.previous_decimal_count
            else y.decimal_count
        end as decimal_count
    from ytd as y
),
-- Lines whose level was not accepted last month or a year ago: only they can be slips.
unconfirmed as (
    select
        l.submission_id,
        l.sheet,
        l.row_number,
        l.enterprise_code,
        l.flow,
        l.item_code,
        l.partner_key,
        l.history_start_date
    from line as l
    left join accepted as m
        on m.enterprise_code = l.enterprise_code
        and m.flow = l.flow
        and m.item_code = l.item_code
        and m.partner_key = l.partner_key
        and m.month_start_date = l.month_before_date
    left join accepted as y
        on y.enterprise_code = l.enterprise_code
        and y.flow = l.flow
        and y.item_code = l.item_code
        and y.partner_key = l.partner_key
        and y.month_start_date between $month_start_date - interval 13 month and $month_start_date - interval 11 month
        and y.month_start_date >= l.history_start_date
        and y.first_month_date <= l.month_start_date - interval 12 month
    where l.amount_usd > 0
      and l.same_key_count = 1
      and l.item_code is not null
    group by
        l.submission_id, l.sheet, l.row_number, l.enterprise_code, l.flow, l.item_code, l.partner_key,
        l.history_start_date
    having max(
        case
            when l.level_usd between 0.4 * m.level_usd and 2.5 * m.level_usd
                or l.level_usd between 0.4 * y.level_usd and 2.5 * y.level_usd then 1
            else 0
        end
    ) = 0
),
ranked as (
    select
        u.submission_id,
        u.sheet,
        u.row_number,
        u.flow,
        a.level_usd,
        row_number() over (
            partition by u.submission_id, u.sheet, u.row_number, u.flow
            order by a.level_usd, a.month_start_date
        ) as place,
        count(*) over (partition by u.submission_id, u.sheet, u.row_number, u.flow) as return_count,
        sum(a.month_count) over (partition by u.submission_id, u.sheet, u.row_number, u.flow) as month_count
    from unconfirmed as u
    inner join accepted as a
        on a.enterprise_code = u.enterprise_code
        and a.flow = u.flow
        and a.item_code = u.item_code
        and a.partner_key = u.partner_key
    where a.amount_usd > 0
      and not a.is_listed_twice
      and a.month_start_date >= u.history_start_date
),
line_history as (
    select
        submission_id,
        sheet,
        row_number,
        flow,
        max(month_count) as month_count,
        avg(level_usd) filter (where 2 * place between return_count and return_count + 2) as median_usd
    from ranked
    group by submission_id, sheet, row_number, flow
),
-- Spread of the history about its median on the log scale: what an honest month may be off by
-- (pipelines/methods/slips.py: a prior of 0.12 worth four months; one odd month adds 0.3 at most).
line_spread as (
    select
        submission_id,
        sheet,
        row_number,
        flow,
        sqrt((0.0576 + sum(case when deviation * deviation < 0.09 then deviation * deviation else 0.09 end))
            / (4 + count(*))) as spread
    from (
        select
            r.submission_id,
            r.sheet,
            r.row_number,
            r.flow,
            log10(r.level_usd / nullif(h.median_usd, 0)) as deviation
        from ranked as r
        inner join line_history as h
            on h.submission_id = r.submission_id
            and h.sheet = r.sheet
            and h.row_number = r.row_number
            and h.flow = r.flow
    ) as deviating
    group by submission_id, sheet, row_number, flow
),
flow_month as (
    select
        a.enterprise_code,
        a.flow,
        u.history_start_date,
        a.month_start_date,
        a.month_count,
        sum(a.level_usd) as level_usd
    from accepted as a
    inner join (select distinct enterprise_code, flow, history_start_date from unconfirmed) as u
        on u.enterprise_code = a.enterprise_code and u.flow = a.flow
    where a.amount_usd > 0
      and a.month_start_date >= u.history_start_date
    group by a.enterprise_code, a.flow, u.history_start_date, a.month_start_date, a.month_count
),
flow_ranked as (
    select
        enterprise_code,
        flow,
        history_start_date,
        level_usd,
        row_number() over (
            partition by enterprise_code, flow, history_start_date order by level_usd, month_start_date, month_count
        ) as place,
        count(*) over (partition by enterprise_code, flow, history_start_date) as return_count,
        sum(month_count) over (partition by enterprise_code, flow, history_start_date) as month_count
    from flow_month
),
flow_history as (
    select
        enterprise_code,
        flow,
        history_start_date,
        max(month_count) as month_count,
        avg(level_usd) filter (where 2 * place between return_count and return_count + 2) as median_usd
    from flow_ranked
    group by enterprise_code, flow, history_start_date
),
flow_spread as (
    select
        enterprise_code,
        flow,
        history_start_date,
        sqrt((0.0576 + sum(case when deviation * deviation < 0.09 then deviation * deviation else 0.09 end))
            / (4 + count(*))) as spread
    from (
        select
            r.enterprise_code,
            r.flow,
            r.history_start_date,
            log10(r.level_usd / nullif(h.median_usd, 0)) as deviation
        from flow_ranked as r
        inner join flow_history as h
            on h.enterprise_code = r.enterprise_code
            and h.flow = r.flow
            and h.history_start_date = r.history_start_date
    ) as deviating
    group by enterprise_code, flow, history_start_date
),
flow_now as (
    select
        submission_id,
        flow,
        sum(amount_usd) as amount_usd,
        sum(level_usd) as level_usd
    from line
    where amount_usd > 0
    group by submission_id, flow
),
nonzero as (
    select
        a.submission_id,
        a.sheet,
        a.row_number,
        a.flow,
        sum(a.month_count) as month_count
    from (
        select distinct
            l.submission_id,
            l.sheet,
            l.row_number,
            l.flow,
            a.month_start_date,
            -- of January and February together only what lies within the twelve months
            case when a.first_month_date < l.history_start_date then 1 else a.month_count end as month_count
        from line as l
        inner join accepted as a
            on a.enterprise_code = l.enterprise_code
            and a.flow = l.flow
            and a.item_code = l.item_code
            and a.partner_key = l.partner_key
            and a.month_start_date >= l.history_start_date
        where l.amount = 0
          and l.same_key_count = 1
          and a.amount > 0
    ) as a
    group by a.submission_id, a.sheet, a.row_number, a.flow
),
-- The same months of last year, one or two returns of them.
year_before as (
    select
        l.submission_id,
        l.sheet,
        l.row_number,
        l.flow,
        max(a.period_kind) as period_kind,
        cast(sum(a.month_count) as bigint) as month_count,
        sum(a.amount_usd) / nullif(sum(a.month_count), 0) as level_usd,
        case
            when count(*) = count(*) filter (where a.unit_code = l.unit_code and a.amount is not null)
                then cast(sum(a.amount) as double)
        end as same_unit_amount
    from line as l
    inner join accepted as a
        on a.enterprise_code = l.enterprise_code
        and a.flow = l.flow
        and a.item_code = l.single_item_code
        and a.partner_key = l.partner_key
        and a.month_start_date between $month_start_date - interval 13 month and $month_start_date - interval 11 month
        and a.month_start_date >= l.history_start_date
        and a.first_month_date <= l.month_start_date - interval 12 month
    where not a.is_listed_twice
    group by l.submission_id, l.sheet, l.row_number, l.flow
    having count(*) = count(a.amount_usd)
),
compared as (
    select
        l.*,
        g.summed_amount,
        g.summed_ytd_amount,
        g.previous_ytd_amount,
        g.expected_ytd_amount,
        g.gap,
        g.unreported_change,
        g.decimal_count,
        -- what a figure of history is worth in the declared unit of this return
        l.usd_per_currency_unit * cast(l.unit_multiplier as double) as usd_per_declared_unit,
        m.month_count as last_month_month_count,
        m.level_usd as last_month_level_usd,
        m.level_usd * l.month_count as last_month_usd,
        case when m.unit_code = l.unit_code then cast(m.amount as double) * l.month_count / m.month_count end
            as last_month_same_unit,
        y.month_count as last_year_month_count,
        y.period_kind as last_year_period_kind,
        y.level_usd as last_year_level_usd,
        y.level_usd * l.month_count as last_year_usd,
        y.same_unit_amount * l.month_count / y.month_count as last_year_same_unit,
        -- one month and two are not the same figure, whatever it is
        case
            when m.amount is null or l.amount is null or m.month_count <> l.month_count then null
            when m.unit_code = l.unit_code then m.amount = l.amount
            when m.currency_code = l.currency_code
                then cast(m.amount as double) * cast(m.unit_multiplier as double)
                    = cast(l.amount as double) * cast(l.unit_multiplier as double)
            else false
        end as is_amount_equal,
        m.month_count = l.month_count and m.unit_code = l.unit_code and m.ytd_amount = l.ytd_amount
            and l.ytd_amount > 0 as is_ytd_equal,
        length(trim(both '0' from replace(cast(l.amount as varchar), '.', ''))) >= 3 as has_three_digits,
        case
            when h.median_usd is not null then h.median_usd
            when u.submission_id is not null and 2 * l.amount_usd >= fn.amount_usd then fh.median_usd
        end as history_usd,
        cast(coalesce(h.month_count, fh.month_count) as bigint) as history_month_count,
        coalesce(hs.spread, fs.spread) as history_spread,
        case when h.median_usd is not null then 'line' else 'flow' end as history_basis,
        -- where the line has no history of its own, its flow is set against the flow's
        case when h.median_usd is not null then l.level_usd else fn.level_usd end as history_compared_usd,
        case when l.amount = 0 then cast(coalesce(z.month_count, 0) as bigint) end as nonzero_month_count_before_zero,
        case
            when l.amount_state in ('value', 'withheld') or l.ytd_state in ('value', 'withheld')
                then w.named_partner_row_count
        end as named_partner_row_count
    from line as l
    left join reference.partners as wp on wp.partner_code = l.partner_code and wp.partner_kind = 'world'
    left join beside_world as w
        on w.submission_id = l.submission_id
        and w.flow = l.flow
        and w.item_code = case when wp.partner_code is not null then l.item_code end
    left join ytd_gap as g
        on g.submission_id = l.submission_id
        and g.sheet = l.sheet
        and g.row_number = l.row_number
        and g.flow = l.flow
    left join accepted as m
        on m.enterprise_code = l.enterprise_code
        and m.flow = l.flow
        and m.item_code = l.single_item_code
        and m.partner_key = l.partner_key
        and m.month_start_date = l.month_before_date
        and not m.is_listed_twice
    left join year_before as y
        on y.submission_id = l.submission_id
        and y.sheet = l.sheet
        and y.row_number = l.row_number
        and y.flow = l.flow
    left join unconfirmed as u
        on u.submission_id = l.submission_id
        and u.sheet = l.sheet
        and u.row_number = l.row_number
        and u.flow = l.flow
    left join line_history as h
        on h.submission_id = l.submission_id
        and h.sheet = l.sheet
        and h.row_number = l.row_number
        and h.flow = l.flow
    left join line_spread as hs
        on hs.submission_id = l.submission_id
        and hs.sheet = l.sheet
        and hs.row_number = l.row_number
        and hs.flow = l.flow
    left join flow_history as fh
        on fh.enterprise_code = u.enterprise_code
        and fh.flow = u.flow
        and fh.history_start_date = u.history_start_date
    left join flow_spread as fs
        on fs.enterprise_code = u.enterprise_code
        and fs.flow = u.flow
        and fs.history_start_date = u.history_start_date
    left join flow_now as fn on fn.submission_id = l.submission_id and fn.flow = l.flow
    left join nonzero as z
        on z.submission_id = l.submission_id
        and z.sheet = l.sheet
        and z.row_number = l.row_number
        and z.flow = l.flow
),
-- An item above others repeats because they do, or by chance: they are asked about.
summing_row as (
    select distinct
        parent.submission_id,
        parent.sheet,
        parent.row_number
    from compared as parent
    inner join core.item_ancestor as a on a.ancestor_code = parent.item_code and a.distance > 0
    inner join line as child
        on child.submission_id = parent.submission_id
        and child.sheet = parent.sheet
        and child.flow = parent.flow
        and child.item_code = a.item_code
        and child.partner_key = parent.partner_key
    where parent.is_amount_equal
),
marked as (
    select
        c.*,
        s.submission_id is not null as is_sum_of_others
    from compared as c
    left join summing_row as s
        on s.submission_id = c.submission_id and s.sheet = c.sheet and s.row_number = c.row_number
),
copied as (
    select
        *,
        -- every figure of the row as last month, two or more of them above zero
        min(case when coalesce(is_amount_equal, amount is null) then 1 else 0 end) over (
            partition by submission_id, sheet, row_number
        ) = 1
        and sum(
            case when is_amount_equal and amount > 0 then 1 else 0 end
            + case when is_amount_equal and is_ytd_equal then 1 else 0 end
        ) over (partition by submission_id, sheet, row_number) >= 2
        and max(case when has_three_digits then 1 else 0 end) over (
            partition by submission_id, sheet, row_number
        ) = 1
        and not is_sum_of_others as is_copied,
        row_number() over (
            partition by submission_id, sheet, row_number
            order by case when amount > 0 then 0 else 1 end, flow
        ) as place_in_row
    from marked
),
-- Slips of unit, decimal point and currency: odds of each explanation against "right as filed", the formula and its
-- constants as in pipelines/methods/slips.py; a test holds the two to the same odds.
-- In words no explanation is certain and none impossible: 1 to 99 %.
slip as (
    select
        submission_id,
        sheet,
        row_number,
        flow,
        log10(history_compared_usd / nullif(history_usd, 0)) as log_ratio,
        history_spread as spread,
        -- the row's other witness: what the amounts since January leave for the month
        case
            when place_in_key = 1 and summed_ytd_amount > previous_ytd_amount and amount > 0
                then log10(cast(amount as double) / cast(summed_ytd_amount - previous_ytd_amount as double))
        end as link_log_ratio
    from copied
    where history_compared_usd > 0
      and amount_usd > 0
      and history_usd > 0
),
explanation as (
    select
        e.explanation_code,
        e.prior_odds,
        e.kind_zh,
        e.kind_en,
        e.label_zh,
        e.label_en,
        e.log10_shift
            * case when e.is_exchange_rate then log10(coalesce(r.cny_per_unit, 6.9)) else 1.0 end as shift
    from reference.slip_explanations as e
    left join dollar as r on r.month_start_date = $month_start_date and r.currency_code = 'USD'
),
-- How the lines of a return with something odd in it moved from last month.
line_move as (
    select
        c.submission_id,
        c.sheet,
        c.row_number,
        c.flow,
        log10(c.level_usd / nullif(c.last_month_level_usd, 0)) as move
    from compared as c
    inner join (select distinct submission_id from slip) as s on s.submission_id = c.submission_id
    where c.level_usd > 0
      and c.last_month_level_usd > 0
),
flat_lines as (
    select
        submission_id,
        count(*) filter (where abs(move) <= 0.4) as line_count
    from line_move
    group by submission_id
),
alike_lines as (
    select
        m.submission_id,
        e.explanation_code,
        count(*) as line_count
    from line_move as m
    inner join explanation as e on abs(m.move - e.shift) <= 0.2
    group by m.submission_id, e.explanation_code
),
slip_evidence as (
    select
        s.submission_id,
        s.sheet,
        s.row_number,
        s.flow,
        s.log_ratio,
        s.link_log_ratio,
        s.spread,
        e.explanation_code,
        e.kind_zh,
        e.kind_en,
        e.label_zh,
        e.label_en,
        e.shift,
        e.prior_odds,
        -- more than three lines add nothing; the line itself is no witness for itself
        case
            when coalesce(a.line_count, 0) - case when abs(m.move - e.shift) <= 0.2 then 1 else 0 end > 3 then 3
            else coalesce(a.line_count, 0) - case when abs(m.move - e.shift) <= 0.2 then 1 else 0 end
        end as alike_line_count,
        case
            when coalesce(f.line_count, 0) - case when abs(m.move) <= 0.4 then 1 else 0 end > 3 then 3
            else coalesce(f.line_count, 0) - case when abs(m.move) <= 0.4 then 1 else 0 end
        end as flat_line_count
    from slip as s
    cross join explanation as e
    left join line_move as m
        on m.submission_id = s.submission_id
        and m.sheet = s.sheet
        and m.row_number = s.row_number
        and m.flow = s.flow
    left join flat_lines as f on f.submission_id = s.submission_id
    left join alike_lines as a on a.submission_id = s.submission_id and a.explanation_code = e.explanation_code
),
slip_factor as (
    select
        *,
        -- 2.5066282746310002 is the root of two pi
        exp(-0.5 * (log_ratio - shift) / spread * (log_ratio - shift) / spread) / (spread * 2.5066282746310002)
            / (
                0.99 * exp(-0.5 * log_ratio / spread * log_ratio / spread) / (spread * 2.5066282746310002)
                + 0.01 * exp(-0.5 * log_ratio / 0.8 * log_ratio / 0.8) / (0.8 * 2.5066282746310002)
            ) as by_history,
        case
            when link_log_ratio is null then 1.0
            else (
                0.4 * exp(-5000 * (link_log_ratio - shift) * (link_log_ratio - shift)) / 0.025066282746310002
                + 0.5 * exp(-5000 * link_log_ratio * link_log_ratio) / 0.025066282746310002
                + 0.1 / 18
            ) / (0.95 * exp(-5000 * link_log_ratio * link_log_ratio) / 0.025066282746310002 + 0.05 / 18)
        end as by_link,
        (
            0.4 * pow(0.1, alike_line_count) * pow(0.9, flat_line_count)
            + 0.6 * pow(0.9, alike_line_count) * pow(0.1, flat_line_count)
        ) / (pow(0.02, alike_line_count) * pow(0.9, flat_line_count)) as by_lines
    from slip_evidence
),
slip_odds as (
    select
        *,
        prior_odds * by_history * by_link * by_lines as odds,
        row_number() over (
            partition by submission_id, sheet, row_number, flow
            order by prior_odds * by_history * by_link * by_lines desc, explanation_code
        ) as place,
        1 + sum(prior_odds * by_history * by_link * by_lines) over (
            partition by submission_id, sheet, row_number, flow
        ) as whole
    from slip_factor
),
slip_likeliest as (
    select
        submission_id,
        sheet,
        row_number,
        flow,
        max(odds) as odds,
        max(case when place = 1 then shift end) as shift,
        max(case when place = 1 then kind_zh end) as kind_zh,
        max(case when place = 1 then kind_en end) as kind_en,
        max(case when place = 1 then label_zh || ' ' || format('{:.0f}', least(99, greatest(1, 100 * odds / whole))) || '%' end)
            || coalesce(
                '，' || max(
                    case
                        when place = 2 and odds / whole >= 0.01
                            then label_zh || ' ' || format('{:.0f}', least(99, greatest(1, 100 * odds / whole))) || '%'
                    end
                ), ''
            ) || '，填报属实 ' || format('{:.0f}', least(99, greatest(1, 100 / max(whole)))) || '%' as odds_zh,
        max(case when place = 1 then label_en || ' ' || format('{:.0f}', least(99, greatest(1, 100 * odds / whole))) || ' %' end)
            || coalesce(
                ', ' || max(
                    case
                        when place = 2 and odds / whole >= 0.01
                            then label_en || ' ' || format('{:.0f}', least(99, greatest(1, 100 * odds / whole))) || ' %'
                    end
                ), ''
            ) || ', right as filed ' || format('{:.0f}', least(99, greatest(1, 100 / max(whole)))) || ' %' as odds_en
    from slip_odds
    group by submission_id, sheet, row_number, flow
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
    l.month_start_date,
    l.submission_id,
    'FM-2' as form_code,
    l.sheet,
    l.amount_cell,
    l.ytd_cell,
    l.enterprise_code || '/' || coalesce(l.item_code, '') || '/' || l.partner_key || '/' || l.flow as business_key,
    coalesce(l.item_code || ' ' || i.name_zh, l.item_text, '项目未填')
        || ' × ' || coalesce(p.name_zh, l.partner_text, '国别未填')
        || ' × ' || case when l.flow = 'export' then '出口' else '进口' end as subject_zh,
    coalesce(l.item_code || ' ' || i.name_en, l.item_text, 'no item')
        || ' × ' || coalesce(p.name_en, l.partner_text, 'no partner')
        || ' × ' || l.flow as subject_en,
    l.remark,
    rb.submission_id is not null as is_remark_as_before,
    l.flow,
    l.item_code,
    l.partner_code,
    u.label_zh as unit_zh,
    u.label_en as unit_en,
    cast(l.amount as double) as amount,
    l.amount_text,
    cast(l.ytd_amount as double) as ytd_amount,
    l.ytd_text,
    case when not l.may_be_negative then cast(l.amount as double) end as amount_that_must_not_be_negative,
    case when l.may_be_negative then cast(l.amount as double) end as amount_that_may_be_negative,
    case when not l.may_be_negative then cast(l.ytd_amount as double) end as ytd_that_must_not_be_negative,
    case when l.may_be_negative then cast(l.ytd_amount as double) end as ytd_that_may_be_negative,
    cast(l.summed_amount as double) as summed_amount,
    cast(l.summed_ytd_amount as double) as summed_ytd_amount,
    cast(l.previous_ytd_amount as double) as previous_ytd_amount,
    cast(l.expected_ytd_amount as double) as expected_ytd_amount,
    case
        when extract(month from l.period_start_date) = 1 then '本期从一月开始，累计等于本期数，'
        else '上月累计 ' || regexp_replace(format('{:,.6f}', cast(l.previous_ytd_amount as double)), '\.?0+$', '')
            || ' 加本月 ' || regexp_replace(format('{:,.6f}', cast(l.summed_amount as double)), '\.?0+$', '') || ' '
    end as ytd_basis_zh,
    case
        when extract(month from l.period_start_date) = 1
            then 'the period begins in January, so the cumulative figure equals the period''s own,'
        else 'last month''s ' || regexp_replace(format('{:,.6f}', cast(l.previous_ytd_amount as double)), '\.?0+$', '')
            || ' plus this month''s ' || regexp_replace(format('{:,.6f}', cast(l.summed_amount as double)), '\.?0+$', '')
            || ' is'
    end as ytd_basis_en,
    cast(l.gap as double) as ytd_gap,
    abs(cast(l.gap as double)) / case l.decimal_count
        when 0 then 1.0
        when 1 then 0.1
        when 2 then 0.01
        when 3 then 0.001
        when 4 then 0.0001
        when 5 then 0.00001
        else 0.000001
    end as ytd_gap_in_last_digits,
    cast(l.unreported_change as double) as unreported_change,
    abs(cast(l.unreported_change as double)) / case l.decimal_count
        when 0 then 1.0
        when 1 then 0.1
        when 2 then 0.01
        when 3 then 0.001
        when 4 then 0.0001
        when 5 then 0.00001
        else 0.000001
    end as unreported_change_in_last_digits,
    l.partner_cell,
    l.named_partner_row_count,
    abs(cast(l.amount as double)) * cast(l.unit_multiplier as double) as amount_in_currency_units,
    abs(cast(l.ytd_amount as double)) * cast(l.unit_multiplier as double) as ytd_in_currency_units,
    coalesce(l.last_month_same_unit, l.last_month_usd / nullif(l.usd_per_declared_unit, 0)) as last_month_amount,
    case
        when l.month_count = 2 and l.last_month_month_count = 1 then '上年12月的两倍'
        when l.last_month_month_count = 2 then '1—2月合并数的一半'
        else '上月'
    end as last_month_name_zh,
    case
        when l.month_count = 2 and l.last_month_month_count = 1 then 'twice last December'
        when l.last_month_month_count = 2 then 'half of January-February'
        else 'last month'
    end as last_month_name_en,
    case
        when l.last_month_level_usd > 0 then 100 * (l.level_usd / nullif(l.last_month_level_usd, 0) - 1)
    end as growth_on_last_month_pct,
    case when l.amount_usd >= l.last_month_usd then l.amount_usd else l.last_month_usd end
        as larger_with_last_month_usd,
    coalesce(l.last_year_same_unit, l.last_year_usd / nullif(l.usd_per_declared_unit, 0)) as last_year_amount,
    case
        when l.month_count = 2 and l.last_year_month_count = 2 then '上年1—2月'
        when l.month_count = 2 then '上年同期有数的一个月的两倍'
        when l.last_year_period_kind = 'months_1_2' then '上年1—2月合并数的一半'
        else '上年同月'
    end as last_year_name_zh,
    case
        when l.month_count = 2 and l.last_year_month_count = 2 then 'January-February a year ago'
        when l.month_count = 2 then 'twice the one of the two months on file a year ago'
        when l.last_year_period_kind = 'months_1_2' then 'half of January-February a year ago'
        else 'the same month a year ago'
    end as last_year_name_en,
    case
        when l.last_year_level_usd > 0 then 100 * (l.level_usd / nullif(l.last_year_level_usd, 0) - 1)
    end as growth_on_last_year_pct,
    case when l.amount_usd >= l.last_year_usd then l.amount_usd else l.last_year_usd end
        as larger_with_last_year_usd,
    case
        when l.amount > 0 and l.has_three_digits and not l.is_copied and not l.is_sum_of_others then l.is_amount_equal
    end as is_same_as_last_month,
    case when l.place_in_row = 1 then l.is_copied end as is_row_copied,
    l.history_usd * l.month_count / nullif(l.usd_per_declared_unit, 0) as history_amount,
    '近 ' || l.history_month_count || ' 个月一般为' || case when l.month_count = 2 then '每两个月' else '' end
        as history_name_zh,
    case when l.month_count = 2 then 'two months' else 'the months' end || ' on file before (' || l.history_month_count
        || ') were usually' as history_name_en,
    l.history_month_count,
    l.history_basis,
    l.history_compared_usd / nullif(l.history_usd, 0) as ratio_to_history,
    case when l.level_usd >= l.history_usd then l.amount_usd else l.history_usd * l.month_count end
        as larger_with_history_usd,
    s.odds as slip_odds,
    s.kind_zh as slip_kind_zh,
    s.kind_en as slip_kind_en,
    s.odds_zh as slip_chances_zh,
    s.odds_en as slip_chances_en,
    cast(l.amount as double) / pow(10.0, s.shift) as slip_suggestion,
    l.nonzero_month_count_before_zero
from copied as l
left join slip_likeliest as s
    on s.submission_id = l.submission_id
    and s.sheet = l.sheet
    and s.row_number = l.row_number
    and s.flow = l.flow
left join reference.ebops_items as i
    on i.item_code = l.item_code
    and i.valid_from <= l.month_start_date
    and (i.valid_until is null or i.valid_until >= l.month_start_date)
left join reference.partners as p on p.partner_code = l.partner_code
left join reference.units as u on u.unit_code = l.unit_code
left join remark_before as rb
    on rb.submission_id = l.submission_id
    and rb.item_code = l.item_code
    and rb.partner_key = l.partner_key
    and rb.remark_words = lower(regexp_replace(l.remark, '[^\p{L}\p{N}]', '', 'g'))
order by l.submission_id, l.sheet, l.row_number, l.flow
