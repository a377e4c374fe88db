"""From the first run to the audit log in a browser, without scripts; and every page of it under axe in both languages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
from portal_in_chromium import Watched, running

from pipelines.ledger import ledger_of
from pipelines.ledger.actors import Role
from pipelines.ledger.profiles import PasswordCost
from pipelines.portal.app import create_app
from pipelines.settings import Settings
from tests.ledger.people import ENTERPRISE, OPERATOR, Office

# Where pictures of the pages go, for whoever wants to look at them.
PICTURES = os.environ.get("SERVTRADE_TEST_PICTURES")


@dataclass
class Desk:
    """A portal with real accounts, and browsers in front of it."""

    address: str
    office: Office
    chromium: Any
    watched: Watched = field(default_factory=Watched)
    contexts: list[Any] = field(default_factory=list)

    def browser(self, *, scripts: bool, language: str = "zh") -> Any:
        context = self.chromium.new_context(
            java_script_enabled=scripts,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            viewport={"width": 1280, "height": 900},
        )
        self.contexts.append(context)
        context.add_cookies([{"name": "servtrade_view", "value": language, "url": self.address}])
        context.on("request", lambda request: self.watched.note_request(request.url))
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.watched.errors.append(str(error)))
        page.on("console", lambda message: self.watched.note_message(message.text))
        return page

    def sign_in(self, page: Any, login: str, password: str) -> None:
        page.goto(f"{self.address}/sign-in")
        page.fill("#login", login)
        page.fill("#password", password)
        page.locator("main button[type=submit]").click()


@pytest.fixture
def desk(tmp_path: Path, chromium: Any, quick_passwords: PasswordCost) -> Iterator[Desk]:
    data = tmp_path / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
    with ledger_of(settings) as ledger:
        office = Office(ledger).open()
        app = create_app(settings, ledger)
        with running(app) as address:
            one = Desk(address, office, chromium)
            yield one
            for context in one.contexts:
                context.close()
            one.watched.expect_nothing()
            assert app.state.policy_reports == []


def test_the_administrators_do_their_work_without_scripts(desk: Desk) -> None:
    office = desk.office
    system = desk.browser(scripts=False)
    desk.sign_in(system, "sysadmin", office.passwords["sysadmin"])
    enrol_by_hand(desk, system, "sysadmin")
    system.goto(f"{desk.address}/users")
    system.fill("#login", "wang")
    system.fill("#name", "王芳")
    system.locator("form[method=post][action='/users'] button").click()
    once = system.locator(".one-time-password").inner_text()
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", once)

    security = desk.browser(scripts=False)
    desk.sign_in(security, "secadmin", office.passwords["secadmin"])
    enrol_by_hand(desk, security, "secadmin")
    security.goto(f"{desk.address}/users/wang")
    security.select_option("#grant-role", "reporter")
    security.fill("#enterprises", ENTERPRISE)
    security.locator("form[action$='/grant'] button").click()
    assert ENTERPRISE in security.locator("dl.facts").inner_text()

    reporter = desk.browser(scripts=False)
    desk.sign_in(reporter, "wang", "a wrong guess")
    assert reporter.locator("[role=alert]").count() == 1
    desk.sign_in(reporter, "wang", once)
    assert reporter.url.endswith("/account/password")
    reporter.fill("#present", once)
    reporter.fill("#chosen", "purple mango radio 5")
    reporter.fill("#again", "purple mango radio 5")
    reporter.locator("main button[type=submit]").click()
    assert office.actor("wang").roles == {Role.REPORTER}
    reporter.goto(f"{desk.address}/account")
    assert "王芳" in reporter.locator("main").inner_text()
    reporter.locator("form[action='/sign-out'] button").click()
    assert "/sign-in" in reporter.url

    auditor = desk.browser(scripts=False)
    desk.sign_in(auditor, "auditadmin", office.passwords["auditadmin"])
    enrol_by_hand(desk, auditor, "auditadmin")
    auditor.goto(f"{desk.address}/audit?action=role")
    assert "wang" in auditor.locator("tbody").inner_text()
    auditor.locator("form[action='/audit/verification'] button").click()
    assert auditor.locator(".notice-good").count() == 1


def enrol_by_hand(desk: Desk, page: Any, login: str) -> None:
    """The second step, with the key typed from the page as somebody without a camera does."""
    assert page.url.endswith("/account/second-factor")
    page.fill("#present", desk.office.passwords[login])
    page.locator("main button[type=submit]").click()
    secret = page.locator("main code").inner_text().replace(" ", "")
    page.fill("#code", pyotp.TOTP(secret).at(datetime.now(UTC)))
    page.locator("main button[type=submit]").click()
    assert "said=second_factor_added" in page.url


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_accounts_are_accessible_and_keep_to_the_policy(
    desk: Desk, accessible: Callable[[Any], None], language: str
) -> None:
    office = desk.office
    office.hire("li", Role.CLERK)
    office.hire("zhao", Role.REPORTER)
    office.accounts.create(OPERATOR, "neu", "新人")

    def look(page: Any, name: str) -> None:
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{language}.png"), full_page=True)
        assert page.locator("h1").count() == 1
        accessible(page)

    person = desk.browser(scripts=True, language=language)
    person.goto(f"{desk.address}/sign-in")
    look(person, "sign-in")
    desk.sign_in(person, "li", "wrong")
    look(person, "sign-in-refused")
    made = office.accounts.reset_password(OPERATOR, "zhao", reason="本人遗忘密码")
    office.accounts.unlock(office.actor("secadmin"), "zhao", reason="已与本人核实")
    desk.sign_in(person, "zhao", made.one_time_password)
    look(person, "password")
    person.fill("#present", made.one_time_password)
    person.fill("#chosen", "short")
    person.fill("#again", "short")
    person.locator("main button[type=submit]").click()
    look(person, "password-refused")

    for login, paths in (
        ("sysadmin", ("/users", "/users/li")),
        ("secadmin", ("/users", "/users/li", "/users/zhao")),
        ("auditadmin", ("/audit", "/audit?action=session")),
    ):
        admin = desk.browser(scripts=True, language=language)
        desk.sign_in(admin, login, office.passwords[login])
        look(admin, f"{login}-second-factor")
        admin.fill("#present", office.passwords[login])
        admin.locator("main button[type=submit]").click()
        look(admin, f"{login}-second-factor-picture")
        assert admin.locator("main img").evaluate("image => image.naturalWidth") > 100
        secret = admin.locator("main code").inner_text().replace(" ", "")
        app = pyotp.TOTP(secret)
        admin.fill("#code", app.at(datetime.now(UTC)))
        admin.locator("main button[type=submit]").click()
        for number, path in enumerate(paths):
            admin.goto(f"{desk.address}{path}")
            look(admin, f"{login}-{number}")
        admin.goto(f"{desk.address}/account")
        look(admin, f"{login}-account")
        if login == "sysadmin":
            admin.goto(f"{desk.address}/users/li")
            admin.fill("#reset-reason", "本人遗忘密码")
            admin.locator("form[action$='/reset'] button").click()
            look(admin, "one-time-password")
        if login == "auditadmin":
            admin.goto(f"{desk.address}/audit")
            admin.locator("form[action='/audit/verification'] button").click()
            look(admin, "verification")
        again = desk.browser(scripts=True, language=language)
        desk.sign_in(again, login, office.passwords[login])
        look(again, f"{login}-code")
