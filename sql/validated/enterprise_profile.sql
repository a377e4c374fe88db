-- table:  validated.enterprise_profile
-- title:  企业基本情况（审核通过） / Form FM-1 of accepted returns
-- grain:  one row per accepted current return that holds the form
-- reads:  raw.enterprise_profile, validated.filing
-- param:  month_start_date | date
-- column: month_start_date | date | first day of the reference month (a January-February return counts in February)
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: submission_id | varchar | the file it came from
-- column: industry_code | varchar | GB/T 4754-2017
-- column: registration_type | varchar | 登记注册类型
-- column: holding_type | varchar | 控股情况
-- column: district_code | varchar | as on the form
-- column: employee_count | decimal(18,0) | persons
-- column: revenue | decimal(30,10) | revenue of last year, declared unit
-- column: unit_multiplier | bigint | currency units in one declared unit
-- column: currency_code | varchar | currency of the declared unit
-- column: is_key_enterprise | boolean | 重点企业
-- column: is_outsourcing | boolean | 服务外包
-- column: is_advanced_technology | boolean | 技术先进型
-- column: is_tcm | boolean | 中医药
-- column: is_digital_export_base | boolean | 数字服务出口基地
-- method: docs/methods/filing.md
select
    profile.month_start_date,
    profile.enterprise_code,
    profile.submission_id,
    profile.industry_code,
    profile.registration_type,
    profile.holding_type,
    profile.district_code,
    cast(profile.employee_count as decimal(18, 0)) as employee_count,
    profile.revenue,
    profile.unit_multiplier,
    profile.currency_code,
    profile.is_key_enterprise,
    profile.is_outsourcing,
    profile.is_advanced_technology,
    profile.is_tcm,
    profile.is_digital_export_base
from raw.enterprise_profile as profile
inner join validated.filing as filing
    on filing.submission_id = profile.submission_id
    and filing.month_start_date = profile.month_start_date
where profile.month_start_date = $month_start_date
order by profile.enterprise_code
