-- table:  raw.enterprise
-- title:  直报企业名录 / Register of reporting enterprises, with the months for which each entry holds
-- grain:  one row per enterprise and span of months
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: enterprise_name | varchar | as on the register
-- column: district_code | varchar | district or development zone of the register in that month; empty if the register has none
-- column: industry_code | varchar | GB/T 4754-2017
-- column: from_month_start_date | date | first month in which a return is expected; empty means from the beginning
-- column: to_month_start_date | date | last month in which a return is expected; empty means still
create table if not exists raw.enterprise (
    enterprise_code varchar,
    enterprise_name varchar,
    district_code varchar,
    industry_code varchar,
    from_month_start_date date,
    to_month_start_date date
)
