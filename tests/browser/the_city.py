"""The city's bureau behind a running portal, and the pages that its people look at."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from city_desk import FIRST, LINE, MONTH, NOW, OUR_CODE, OUR_NAME, City, open_city
from filed_by_hand import a_workbook
from portal_in_chromium import Watched, running

from pipelines.portal.app import create_app
from pipelines.reception.uploads import UploadedFile

LONG_NAME = "武汉东湖新技术开发区光谷中心城国际数字文化创意产业园综合服务运营管理有限责任公司"

# Who looks at what; the words in braces are ids of the city's returns, see `ids_of`.
PAGES = (
    ("", "/sign-in"),
    ("wang.fang", "/"),
    ("li.min", "/"),
    ("sun.district", "/"),
    ("chen.gang", "/"),
    ("he.leader", "/"),
    ("sysadmin", "/"),
    ("secadmin", "/"),
    ("auditadmin", "/"),
    ("wang.fang", "/uploads"),
    ("li.min", "/uploads"),
    ("li.min", "/uploads/{upload}"),
    ("li.min", "/uploads/{upload}?show=problems"),
    ("li.min", "/submissions/{accepted}"),
    ("li.min", "/submissions/{queries}"),
    ("li.min", "/submissions/{rejected}"),
    ("li.min", "/submissions/{unreadable}"),
    ("li.min", "/submissions/{explained}"),
    ("wang.fang", "/submissions/{returned}"),
    ("wang.fang", "/submissions/{revised}"),
    ("wang.fang", "/submissions/{revised}/differences"),
    ("wang.fang", "/submissions/{revised}/receipt"),
    ("wang.fang", "/submissions"),
    ("li.min", "/submissions?state=rejected"),
    ("li.min", "/review"),
    ("li.min", "/review?month=2001-01"),
    ("li.min", "/review/{queries}"),
    ("li.min", "/review/{explained}"),
    ("sun.district", "/review"),
    ("li.min", "/board"),
    ("sun.district", "/board"),
    ("li.min", "/board?state=not_filed"),
    ("li.min", "/board?q=nobody"),
    ("li.min", "/months"),
    ("li.min", "/months/2020-02"),
    ("chen.gang", "/months/2020-02"),
    ("chen.gang", "/months/2020-01"),
    ("li.min", "/months/2019-12"),
    ("li.min", "/reminders"),
    ("li.min", "/reminders/{reminded}"),
    ("li.min", "/enterprises"),
    ("li.min", "/enterprises/import"),
    ("li.min", "/enterprises/{code}"),
    ("wang.fang", "/enterprises/{code}"),
    ("li.min", "/rules"),
    ("wang.fang", "/rules"),
    ("li.min", "/rules/Q2a"),
    ("wang.fang", "/templates"),
    ("li.min", "/templates"),
    ("wang.fang", "/account"),
    ("sysadmin", "/users"),
    ("sysadmin", "/users/li.min"),
    ("secadmin", "/users"),
    ("secadmin", "/users/sun.district"),
    ("auditadmin", "/audit"),
    ("auditadmin", "/audit?action=month"),
    ("li.min", "/nowhere"),
    ("wang.fang", "/board"),
    ("he.leader", "/uploads"),
)
# What is not there, or not theirs: the same page, told to the browser as well.
REFUSED = frozenset({("li.min", "/nowhere"), ("wang.fang", "/board"), ("he.leader", "/uploads")})


@dataclass
class CityPortal:
    """A portal that runs before the city's bureau."""

    address: str
    city: City
    app: Any
    ids: dict[str, str]


@dataclass
class Visits:
    """Browser contexts by who looks and how; what any of them did that no page may make it do."""

    portal: CityPortal
    chromium: Any
    watched: Watched = field(default_factory=Watched)
    contexts: list[Any] = field(default_factory=list)

    def page(
        self,
        login: str,
        path: str = "",
        *,
        language: str = "zh",
        scripts: bool = True,
        width: int = 1280,
        height: int = 900,
    ) -> Any:
        """A fresh page of this person, at `path` if one is given."""
        context = self.chromium.new_context(
            java_script_enabled=scripts,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": height},
            accept_downloads=True,
        )
        self.contexts.append(context)
        cookies = [{"name": "servtrade_view", "value": language, "url": self.portal.address}]
        if login:
            token = self.portal.city.token_of[login]
            cookies.append({"name": "servtrade", "value": token, "url": self.portal.address})
        context.add_cookies(cookies)
        context.on("request", lambda request: self.watched.note_request(request.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("dialog", lambda dialog: (self.watched.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.watched.errors.append(str(error)))
        page.on("console", self._note)
        if path:
            self.go(page, path)
        return page

    def go(self, page: Any, path: str) -> Any:
        """Go there; the answer."""
        return page.goto(self.portal.address + path.format(**self.portal.ids))

    def close(self) -> None:
        """Close all, and expect that nothing happened that may not."""
        for context in self.contexts:
            context.close()
        self.watched.expect_nothing()

    def _note(self, message: Any) -> None:
        self.watched.note_message(message.text)
        if message.type == "error" and "the server responded with a status of 40" not in message.text:
            self.watched.errors.append(message.text)


@contextmanager
def open_city_portal(folder: Path, enterprises: int = 60) -> Iterator[CityPortal]:
    """The city with an upload of five files that is done: passed, twice the same, asked about, no workbook."""
    with open_city(folder, enterprises, names=(LONG_NAME,)) as city:
        app = create_app(city.settings, city.ledger)
        with running(app) as address:
            portal = CityPortal(address, city, app, ids_of(city))
            portal.ids["upload"] = _upload(portal)
            yield portal


def _upload(portal: CityPortal) -> str:
    desk, li = portal.app.state.uploads, portal.city.actor_of["li.min"]
    first = a_workbook(OUR_CODE, "2019-12", [replace(LINE, partner="JPN")], name=OUR_NAME, is_revision=True)
    files = [
        UploadedFile("江汉示例_2019年12月.xlsx", io.BytesIO(first)),
        UploadedFile("江汉示例_2019年12月（副本）.xlsx", io.BytesIO(first)),
        UploadedFile(
            "江汉示例_2019年11月.xlsx",
            io.BytesIO(a_workbook(OUR_CODE, "2019-11", [replace(LINE, export="很多")], name=OUR_NAME)),
        ),
        UploadedFile("通讯录.xlsx", io.BytesIO(b"no workbook")),
        UploadedFile(f"{'很长的文件名' * 12}.xlsx", io.BytesIO(b"no workbook either")),
    ]
    upload_id: str = desk.take_in(files, li, language="zh")
    deadline = time.monotonic() + 60
    while not desk.progress(upload_id, li).is_finished:
        assert time.monotonic() < deadline, "the city's upload was not judged within a minute"
        time.sleep(0.05)
    return upload_id


def ids_of(city: City) -> dict[str, str]:
    """Returns of the city in each state, by the names that `PAGES` uses."""
    li = city.actor_of["li.min"]
    ids = {
        state: city.submission("li.min", month=MONTH, state=state).submission_id
        for state in ("accepted", "queries", "rejected")
    }
    ids["unreadable"] = city.submission("li.min", state="unreadable").submission_id
    ids["returned"] = city.submission("wang.fang", month=FIRST.plus(2)).submission_id
    ids["revised"] = city.submission("wang.fang", month=FIRST.plus(1)).submission_id
    waiting = city.ledger.reviews.queue(li, month=MONTH, page_size=100).items
    ids["explained"] = next(
        item.submission.submission_id for item in waiting if item.waiting.value == "explained"
    )
    rows = city.ledger.board.look(MONTH, li, deadline_day=10, today=NOW.date()).rows
    ids["reminded"] = next(row.enterprise_code for row in rows if row.reminder_count > 1)
    ids["code"] = OUR_CODE
    return ids
