-- table:  raw.submission
-- title:  报送文件及其版本与结论 / Files received, with version and verdict
-- grain:  one row per file received (same bytes, same row)
-- column: submission_id | varchar | first twenty hexadecimal digits of the SHA-256
-- column: sequence | bigint | order of arrival in the ledger
-- column: kind | varchar | return or department
-- column: enterprise_code | varchar | unified social credit code, as the register has it
-- column: department | varchar | department that filed it; empty for returns
-- column: period_start_date | date | first day of the period on the form
-- column: period_kind | varchar | month, months_1_2, quarter, half_year or year
-- column: month_start_date | date | first day of the month in which the period is counted: its last month
-- column: version | integer | 1 for the first return of that enterprise and period, then 2, 3 ...
-- column: verdict | varchar | accepted, queries or rejected, as judged at the door
-- column: status | varchar | state in the ledger after confirmations
-- column: is_current | boolean | the latest readable version filed
-- column: is_current_accepted | boolean | the latest accepted version, in a closed month the one of its closing: the one statistics use
-- column: is_zero_return | boolean | the box 本月无业务 is ticked
-- column: is_revision | boolean | filed as 更正
-- column: supersedes_submission_id | varchar | the accepted version when this one arrived
-- column: received_at | timestamp | when it arrived, UTC
-- column: is_late | boolean | after the deadline of its month
-- column: sha256 | varchar | of the bytes received
-- column: file_name | varchar | as received
create table if not exists raw.submission (
    submission_id varchar,
    sequence bigint,
    kind varchar,
    enterprise_code varchar,
    department varchar,
    period_start_date date,
    period_kind varchar,
    month_start_date date,
    version integer,
    verdict varchar,
    status varchar,
    is_current boolean,
    is_current_accepted boolean,
    is_zero_return boolean,
    is_revision boolean,
    supersedes_submission_id varchar,
    received_at timestamp,
    is_late boolean,
    sha256 varchar,
    file_name varchar
)
