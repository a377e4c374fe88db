"""A bureau in the middle of its month: the sample city's returns of four months through the door, people with accounts,
explanations, reminders, a return sent back, months closed. For looking at the portal as its people see it.

It is the afternoon of 9 April 2020: the returns for March are due tomorrow.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

import time_machine
from filed_by_hand import Line, a_workbook, credit_code

from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI, Ledger, RegisterRow, Submission, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardFilter, ReturnState
from pipelines.ledger.explanations import Origin
from pipelines.ledger.months import MonthActKind
from pipelines.ledger.reminders import ReminderKind
from pipelines.ledger.reviews import SubmissionFilter
from pipelines.periods import Month
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings
from sample_data.city import generate

NOW = datetime(2020, 4, 9, 16, 30, tzinfo=SHANGHAI)
FIRST, MONTH = Month(2019, 12), Month(2020, 3)
OUR_CODE, OUR_NAME = credit_code(1), "武汉市江汉区示例软件有限公司"
OUR_DISTRICT = "420103"
LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)

# login, name, role
PEOPLE = (
    ("wang.fang", "王芳", Role.REPORTER),
    ("li.min", "李敏", Role.CLERK),
    ("zhou.jie", "周洁", Role.CLERK),
    ("chen.gang", "陈刚", Role.ANALYST),
    ("sun.district", "孙丽", Role.DISTRICT_REVIEWER),
    ("he.leader", "何局长", Role.OFFICIAL),
)


@dataclass
class City:
    """The bureau and its people; `token_of` is a session of each person, by login."""

    folder: Path
    settings: Settings
    ledger: Ledger
    token_of: dict[str, str] = field(default_factory=dict)
    actor_of: dict[str, Actor] = field(default_factory=dict)

    def submission(self, actor: str, **wanted: object) -> Submission:
        """The newest submission that this person sees and that is as wanted."""
        found = self.ledger.reviews.submissions(
            self.actor_of[actor],
            SubmissionFilter(**wanted),  # type: ignore[arg-type]
            page_size=1,
        )
        assert found.submissions, f"the city has no submission with {wanted}"
        return found.submissions[0]


@contextmanager
def open_city(folder: Path, enterprises: int = 60, *, names: tuple[str, ...] = ()) -> Iterator[City]:
    """The bureau, at its hour; the clock goes on from there. `names` are further enterprises called so, without
    returns."""
    generate(
        folder / "city",
        enterprises=enterprises,
        first=str(FIRST),
        months=4,
        seed=2020,
        processes=1,
        error_share=0.2,
    )
    data = folder / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=2)
    with time_machine.travel(NOW, tick=True), open_ledger(settings.ledger_url) as ledger:
        city = City(folder, settings, ledger)
        _register(city, names)
        _hire(city)
        _file(city)
        _work(city)
        yield city


def _register(city: City, names: tuple[str, ...]) -> None:
    with (city.folder / "city" / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [
            RegisterRow(
                row["enterprise_code"],
                row["enterprise_name"],
                row["district_code"],
                row["industry_code"],
                Month.parse(row["from_month"]) if row["from_month"] else None,
                Month.parse(row["to_month"]) if row["to_month"] else None,
                contact=row["contact"],
                phone=row["phone"],
            )
            for row in csv.DictReader(file)
        ]
    rows.append(
        RegisterRow(OUR_CODE, OUR_NAME, OUR_DISTRICT, "6513", FIRST, contact="王芳", phone="027-85550101")
    )
    rows += [
        RegisterRow(credit_code(700 + number), name, OUR_DISTRICT, "6513", FIRST, contact="刘洋")
        for number, name in enumerate(names)
    ]
    city.ledger.import_register(rows, by="li.min")


def _hire(city: City) -> None:
    """Accounts with sessions, by way of an identity provider: no password is hashed for a test."""
    operator, officer = Actor.operator("operator"), Actor.operator("security")
    accounts = city.ledger.accounts
    for made in accounts.init_administrators(operator):
        login = made.account.login
        accounts.link_identity(operator, login, login, reason="first day")
        accounts.unlock(officer, login, reason="first day")
        city.actor_of[login] = Actor(login, made.account.roles, account_id=made.account.account_id)
    for login, name, role in PEOPLE:
        accounts.create(operator, login, name, oidc_identity=login)
        accounts.grant(
            officer,
            login,
            role,
            enterprise_codes=[OUR_CODE] if role is Role.REPORTER else [],
            district_codes=[OUR_DISTRICT] if role is Role.DISTRICT_REVIEWER else [],
        )
        account = accounts.get(login, operator)
        city.actor_of[login] = Actor(
            login,
            account.roles,
            account.enterprise_codes,
            account.district_codes,
            account_id=account.account_id,
        )
    for login in city.actor_of:
        token = accounts.sign_in_by_identity(login, "127.0.0.1").session_token
        assert token
        city.token_of[login] = token


def _file(city: City) -> None:
    """What has arrived by now, in the order of arrival; our own enterprise's returns among it."""
    with (city.folder / "city" / "filings.csv").open(encoding="utf-8-sig", newline="") as file:
        filings = [(row["path"], datetime.fromisoformat(row["received_at"])) for row in csv.DictReader(file)]
    arrived = [
        (
            "li.min" if at.day >= 9 else "zhou.jie",
            IncomingFile(Path(path).name, path=city.folder / "city" / path, received_at=at),
        )
        for path, at in filings
        if at < NOW
    ]
    ours = {"2019-12": 12, "2020-01": 1, "2020-02": 2}
    for month, count in ours.items():
        line = replace(LINE, export_ytd=120 * count, imports_ytd=3 * count)
        if month == "2020-02":  # ten thousand times too much: the wrong unit
            line = replace(line, export=1_250_000, export_ytd=1_250_120)
        due = Month.parse(month).plus(1)
        at = datetime(due.year, due.month, 8, 10, 12, 40, tzinfo=SHANGHAI)
        content = a_workbook(OUR_CODE, month, [line], name=OUR_NAME)
        arrived.append(("wang.fang", IncomingFile(f"服务贸易直报_{month}.xlsx", content, received_at=at)))
    arrived.sort(key=lambda one: one[1].received_at or NOW)
    with Reception(city.settings, city.ledger) as door:
        for by, files in groupby(arrived, key=lambda one: one[0]):
            door.submit([file for _, file in files], channel="portal", received_by=by)


def _work(city: City) -> None:
    """What the bureau has done about it so far."""
    li, zhou, chen = (city.actor_of[login] for login in ("li.min", "zhou.jie", "chen.gang"))
    months, reviews = city.ledger.months, city.ledger.reviews
    for month in (FIRST, FIRST.plus(1)):
        months.propose(month, MonthActKind.CLOSE, "应报企业均已报送，疑问已核实。", li)
        months.confirm(month, chen, reason="已核对，同意结账。")
    months.propose(FIRST, MonthActKind.PUBLISH, "全省数据已会审。", chen)
    months.confirm(FIRST, li)
    months.propose(FIRST.plus(2), MonthActKind.CLOSE, "二月报表已收齐，仅余一家退回更正。", li)
    mistaken = city.submission("wang.fang", month=FIRST.plus(2))
    reviews.send_back(
        mistaken.submission_id,
        "服务进出口表 D11：出口金额 1,250,000 万美元约为上月的一万倍，疑以美元填报。请核对单位后重新报送。",
        li,
    )
    revised = replace(LINE, export=125, export_ytd=125)
    with Reception(city.settings, city.ledger) as door:
        door.submit(
            [
                IncomingFile(
                    "1月更正.xlsx",
                    a_workbook(OUR_CODE, str(FIRST.plus(1)), [revised], name=OUR_NAME, is_revision=True),
                )
            ],
            channel="portal",
            received_by="wang.fang",
        )
    missing = city.ledger.board.look(
        MONTH, li, BoardFilter(states=frozenset({ReturnState.NOT_FILED})), deadline_day=10, today=NOW.date()
    ).rows
    missing = [row for row in missing if row.enterprise_code != OUR_CODE]
    with Reception(city.settings, city.ledger) as door:  # some more with questions, half an hour ago
        door.submit(
            [
                IncomingFile(
                    f"{row.enterprise_name}3月.xlsx",
                    a_workbook(
                        row.enterprise_code,
                        str(MONTH),
                        [Line(export=amount, export_ytd=amount, imports=3, imports_ytd=3, export_share=40)],
                        name=row.enterprise_name,
                    ),
                    received_at=NOW.replace(minute=number),
                )
                for number, (row, amount) in enumerate(
                    zip(missing[:5], (38, 8_500, 120, 64, 15), strict=True)
                )
            ],
            channel="portal",
            received_by="zhou.jie",
        )
    waiting = reviews.queue(li, month=MONTH, page_size=100).items
    explained = [item for item in waiting if item.submission.status is Verdict.QUERIES and not item.is_own][
        ::2
    ]
    for item in explained:
        view = reviews.view(item.submission.submission_id, chen)
        asked = [query.ordinal for query in view.queries if query.can_be_explained and query.is_open]
        city.ledger.explanations.explain(
            item.submission.submission_id,
            dict.fromkeys(asked, "本月集中结算上季度服务费，合同和发票齐全。"),
            chen,
            Origin.PORTAL,
        )
    for number, row in enumerate(missing[6:11]):
        city.ledger.reminders.record(
            [row.enterprise_code], MONTH, ReminderKind.CALL, li, spoken_to="财务部", note="答复明日报送。"
        )
        if number == 0:
            city.ledger.reminders.record([row.enterprise_code], MONTH, ReminderKind.LETTER, zhou)
