"""A bureau with two enterprises in two districts, its people, and what they have filed: for tests of the portal.

The people are signed in by a stand-in for `ledger.accounts`: how one signs in is tested in its own place.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reception"))

from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.ledger import Ledger, RegisterRow, Submission, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.profiles import PROFILES, SecurityProfile
from pipelines.periods import Month
from pipelines.reception import Reception
from pipelines.settings import Settings

OURS, THEIRS = credit_code(1), credit_code(2)
OUR_NAME, THEIR_NAME = "江汉示例软件有限公司", "光谷示例物流有限公司"
OUR_DISTRICT, THEIR_DISTRICT = "420103", "420111"
XSS = '<img src=x onerror="alert(1)"><script>alert(2)</script>{{7*7}}'


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    actor: Actor
    display_name: str
    language: str = "zh"
    must_change_password: bool = False
    must_enrol_second_factor: bool = False


def _person(name: str, shown: str, role: Role, **scope: frozenset[str]) -> Person:
    return Person(Actor(name, frozenset({role}), **scope), shown)  # type: ignore[arg-type]


PEOPLE = {
    "ours": _person("wang", "王芳", Role.REPORTER, enterprise_codes=frozenset({OURS})),
    "theirs": _person("zhao", "赵强", Role.REPORTER, enterprise_codes=frozenset({THEIRS})),
    "clerk": _person("li", "李统计", Role.CLERK),
    "our_district": _person(
        "jianghan", "江汉区审核员", Role.DISTRICT_REVIEWER, district_codes=frozenset({OUR_DISTRICT})
    ),
    "their_district": _person(
        "hongshan", "洪山区审核员", Role.DISTRICT_REVIEWER, district_codes=frozenset({THEIR_DISTRICT})
    ),
    "analyst": _person("chen", "陈分析", Role.ANALYST),
    "official": _person("ju", "局领导", Role.OFFICIAL),
    "system_admin": _person("sys", "系统管理员", Role.SYSTEM_ADMIN),
    "security_admin": _person("sec", "安全管理员", Role.SECURITY_ADMIN),
    "audit_admin": _person("aud", "审计管理员", Role.AUDIT_ADMIN),
}


class SignedInPeople:
    """Stands in for `ledger.accounts`: the token of a session is the person's name here."""

    def __init__(self) -> None:
        self.people = dict(PEOPLE)

    def session(self, token: str, address: str) -> Person | None:
        person = self.people.get(token)
        return person and replace(person, actor=replace(person.actor, address=address))


@dataclass
class Bureau:
    """What stands behind the portal."""

    settings: Settings
    ledger: Ledger

    @cached_property
    def reception(self) -> Reception:
        """The door; made when the first file comes, for it starts a child."""
        return Reception(self.settings, self.ledger).__enter__()

    def file(self, content: bytes, *, by: str = "wang", name: str = "2020年3月.xlsx") -> Submission:
        """File a workbook as this person through the door; the submission as the ledger has it."""
        [result] = self.reception.submit([a_file(name, content)], channel="portal", received_by=by)
        [submission] = self.ledger.submissions(submission_ids=[result.submission_id])
        return submission


@contextmanager
def open_bureau(folder: Path, profile: SecurityProfile = PROFILES["asvs"]) -> Iterator[Bureau]:
    """A bureau with its register, all below this folder."""
    data = folder / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
    with open_ledger(settings.ledger_url, profile=profile) as ledger:
        ledger.import_register(
            [
                RegisterRow(OURS, OUR_NAME, OUR_DISTRICT, "6513", Month(2016, 1)),
                RegisterRow(THEIRS, THEIR_NAME, THEIR_DISTRICT, "5439", Month(2016, 1)),
            ]
        )
        opened = Bureau(settings, ledger)
        try:
            yield opened
        finally:
            if "reception" in vars(opened):
                opened.reception.__exit__(None, None, None)


@dataclass(frozen=True)
class Filed:
    """Returns that everybody's tests may look at: ours in several states, and one of theirs."""

    accepted: Submission
    queried: Submission
    rejected: Submission
    unreadable: Submission
    theirs: Submission


def file_returns(bureau: Bureau) -> Filed:
    """One return for each verdict, and one of the other enterprise."""
    line = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
    return Filed(
        accepted=bureau.file(a_workbook(OURS, "2020-01", [line], name=OUR_NAME)),
        queried=bureau.file(
            a_workbook(
                OURS,
                "2020-02",
                [replace(line, export=1_250_000, export_ytd=1_250_120, imports=3, imports_ytd=6)],
                name=OUR_NAME,
            )
        ),
        rejected=bureau.file(a_workbook(OURS, "2020-03", [replace(line, export="很多")], name=OUR_NAME)),
        unreadable=bureau.file(b"this is no workbook", name="年报.xlsx"),
        theirs=bureau.file(a_workbook(THEIRS, "2020-01", [line], name=THEIR_NAME), by="zhao"),
    )


class Browser:
    """A person's browser: sends what a browser would send with a form, and knows the token of the session."""

    def __init__(self, app: FastAPI, token: str) -> None:
        self.client = TestClient(app, base_url="http://localhost", follow_redirects=False)
        if token:
            self.client.cookies.set("servtrade", token)

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.client.get(path, **more)  # type: ignore[arg-type]

    def token_of(self, path: str) -> str:
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', self.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def post(
        self,
        path: str,
        data: dict[str, object] | None = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        files: object = None,
    ) -> httpx.Response:
        """Send a form as a page of the portal would."""
        fields = {"csrf_token": self.token_of("/") if token is None else token, **(data or {})}
        return self.client.post(
            path,
            data=fields,
            files=files,  # type: ignore[arg-type]
            headers={"Sec-Fetch-Site": "same-origin", **(headers or {})},
        )
