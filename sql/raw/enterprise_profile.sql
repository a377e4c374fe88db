-- table:  raw.enterprise_profile
-- title:  企业基本情况（各版本） / Form FM-1, every version as filed
-- grain:  one row per submission that holds the form
-- reads:  raw.return_cell, raw.submission, reference.units
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: submission_id | varchar | the file it came from
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: sheet | varchar | sheet as named in the file
-- column: organisation_code | varchar | 组织机构代码
-- column: industry_code | varchar | GB/T 4754-2017
-- column: registration_type | varchar | 登记注册类型
-- column: holding_type | varchar | 控股情况
-- column: district_code | varchar | as recognised
-- column: employee_count | decimal(30,10) | persons
-- column: revenue | decimal(30,10) | revenue of last year, declared unit
-- column: revenue_state | varchar | as in raw.service_trade_line
-- column: revenue_cell | varchar | cell address
-- column: unit_code | varchar | declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: is_key_enterprise | boolean | 重点企业
-- column: is_outsourcing | boolean | 服务外包
-- column: is_advanced_technology | boolean | 技术先进型
-- column: is_tcm | boolean | 中医药
-- column: is_digital_export_base | boolean | 数字服务出口基地
with profile as (
    select
        cell.submission_id,
        min(cell.sheet) as sheet,
        max(coalesce(cell.code, cell.text)) filter (where cell.field = 'organisation_code') as organisation_code,
        max(coalesce(cell.code, cell.text)) filter (where cell.field = 'industry_code') as industry_code,
        max(coalesce(cell.code, cell.text)) filter (where cell.field = 'registration_type') as registration_type,
        max(coalesce(cell.code, cell.text)) filter (where cell.field = 'holding_type') as holding_type,
        max(cell.code) filter (where cell.field = 'district_code') as district_code,
        max(cell.number) filter (where cell.field = 'employee_count') as employee_count,
        max(cell.number) filter (where cell.field = 'revenue') as revenue,
        max(cell.state) filter (where cell.field = 'revenue') as revenue_state,
        max(cell.cell) filter (where cell.field = 'revenue') as revenue_cell,
        max(cell.code) filter (where cell.field = 'unit') as unit_code,
        max(cell.code) filter (where cell.field = 'is_key_enterprise') as key_enterprise_mark,
        max(cell.code) filter (where cell.field = 'is_outsourcing') as outsourcing_mark,
        max(cell.code) filter (where cell.field = 'is_advanced_technology') as advanced_technology_mark,
        max(cell.code) filter (where cell.field = 'is_tcm') as tcm_mark,
        max(cell.code) filter (where cell.field = 'is_digital_export_base') as digital_export_base_mark
    from raw.return_cell as cell
    where cell.month_start_date = $month_start_date
      and cell.form_code = 'FM-1'
    group by cell.submission_id
)

select
    submission.month_start_date,
    profile.submission_id,
    submission.enterprise_code,
    profile.sheet,
    profile.organisation_code,
    profile.industry_code,
    profile.registration_type,
    profile.holding_type,
    profile.district_code,
    profile.employee_count,
    profile.revenue,
    profile.revenue_state,
    profile.revenue_cell,
    profile.unit_code,
    unit.unit_multiplier,
    unit.currency_code,
    profile.key_enterprise_mark = 'true' as is_key_enterprise,
    profile.outsourcing_mark = 'true' as is_outsourcing,
    profile.advanced_technology_mark = 'true' as is_advanced_technology,
    profile.tcm_mark = 'true' as is_tcm,
    profile.digital_export_base_mark = 'true' as is_digital_export_base
from profile
inner join raw.submission as submission on submission.submission_id = profile.submission_id
left join reference.units as unit on unit.unit_code = profile.unit_code
order by profile.submission_id
