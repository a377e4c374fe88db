"""The pages for signing in and for accounts, with the real accounts behind them and a browser of each kind of person."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
import time_machine
from fastapi import FastAPI
from portal_bureau import XSS, Browser
from sqlalchemy import create_engine, text

from pipelines.ledger import Ledger, ledger_of
from pipelines.ledger.actors import Role
from pipelines.ledger.keys import KEY_FILE
from pipelines.ledger.profiles import PasswordCost
from pipelines.portal.app import create_app
from pipelines.settings import Settings
from tests.ledger.people import ENTERPRISE, OPERATOR, Office

ONE_TIME = re.compile(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}")
CHOSEN = "purple mango radio 5"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    return Settings(
        data_dir=data,
        ledger_url=f"sqlite:///{data / 'ledger.sqlite'}",
        second_factor_for="none",
        reader_count=1,
    )


@pytest.fixture
def office(settings: Settings, quick_passwords: PasswordCost) -> Iterator[Office]:
    """A bureau whose people have chosen passwords."""
    with ledger_of(settings) as ledger:
        yield Office(ledger).open()


@pytest.fixture
def app(office: Office, settings: Settings) -> FastAPI:
    return create_app(settings, office.ledger)


class Person(Browser):
    """A browser that keeps its cookies, and fills in the form of the page that it is on."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(app, "")

    def fill_in(self, path: str, data: dict[str, object], *, on: str = "") -> httpx.Response:
        return self.post(path, data, token=self.token_of(on or path))

    def sign_in(self, login: str, password: str, **more: object) -> httpx.Response:
        return self.fill_in("/sign-in", {"login": login, "password": password, **more})

    @property
    def session_token(self) -> str | None:
        return self.client.cookies.get("servtrade")


@pytest.fixture
def person(app: FastAPI) -> Person:
    return Person(app)


def signed_in(app: FastAPI, office: Office, login: str) -> Person:
    one = Person(app)
    assert one.sign_in(login, office.passwords[login]).status_code == 303
    return one


# -- signing in --------------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_page_one_wanted(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)
    asked = person.get("/account")
    assert asked.headers["location"] == "/sign-in?next=/account"
    answer = person.sign_in("li", office.passwords["li"], next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert person.get("/account").status_code == 200
    assert person.get("/sign-in").headers["location"] == "/"


def test_who_sent_a_file_after_the_session_ended_learns_it_signs_in_and_is_back_at_the_box(
    app: FastAPI, office: Office
) -> None:
    office.hire("li", Role.CLERK)
    one = signed_in(app, office, "li")
    token = one.token_of("/uploads")
    one.client.cookies.clear()
    answer = one.post(
        "/uploads",
        token=token,
        files=[("files", ("三月.xlsx", b"PK", "application/octet-stream"))],
        headers={"Referer": "http://localhost/uploads"},
    )
    page = one.get(answer.headers["location"])
    assert "刚才提交的内容没有收到，也没有保存" in page.text
    again = one.fill_in(
        "/sign-in",
        {"login": "li", "password": office.passwords["li"], "next": "/uploads"},
        on=answer.headers["location"],
    )
    assert (again.status_code, again.headers["location"]) == (303, "/uploads")
    box = one.get("/uploads").text
    assert 'type="file"' in box
    assert "没有收到" not in box


def test_the_cookie_of_a_session_is_seen_by_no_script_and_no_other_site(
    person: Person, office: Office
) -> None:
    office.hire("li", Role.CLERK)
    answer = person.sign_in("li", office.passwords["li"])
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("servtrade=")]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/" in cookie
    assert "max-age" not in cookie.lower()
    over_tls = Person(person.client.app)  # type: ignore[arg-type]
    over_tls.client.base_url = httpx.URL("https://localhost")
    secure = over_tls.sign_in("li", office.passwords["li"])
    [cookie] = [one for one in secure.headers.get_list("set-cookie") if one.startswith("__Host-servtrade=")]
    assert "Secure" in cookie


@pytest.mark.parametrize(
    "onward", ["https://example.invalid/", "//example.invalid", "/\\example.invalid", "/sign-in"]
)
def test_signing_in_leads_to_no_other_site(person: Person, office: Office, onward: str) -> None:
    office.hire("li", Role.CLERK)
    assert person.sign_in("li", office.passwords["li"], next=onward).headers["location"] == "/"


def test_a_wrong_password_and_a_wrong_login_read_the_same(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)

    def told(login: str) -> tuple[int, str]:
        answer = person.sign_in(login, "wrong")
        plain = re.sub(r"[0-9a-f]{16,64}", "", answer.text).replace(f'value="{login}"', "")
        return answer.status_code, plain

    assert told("li") == told("nobody")
    assert told("li")[0] == 401
    assert person.session_token is None


def test_the_sixth_attempt_has_to_wait(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)
    assert [person.sign_in("li", "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    answer = person.sign_in("li", office.passwords["li"])
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert "15 分钟" in answer.text


def test_a_token_planted_before_signing_in_is_good_for_nothing(
    person: Person, office: Office, app: FastAPI
) -> None:
    office.hire("li", Role.CLERK)
    office.hire("attacker", Role.CLERK)
    attacker = signed_in(app, office, "attacker")
    for planted in (attacker.session_token, "A" * 43):
        person.client.cookies.clear()
        form = person.get("/sign-in")
        token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', form.text)
        guest = person.client.cookies.get("servtrade_guest")
        assert token
        answer = person.client.post(
            "/sign-in",
            data={"login": "li", "password": office.passwords["li"], "csrf_token": token[1]},
            headers={
                "Sec-Fetch-Site": "same-origin",
                "Cookie": f"servtrade={planted}; servtrade_guest={guest}",
            },
        )
        # A form of a guest does not fit the session that somebody planted; one that fits none is a guest's.
        assert answer.status_code == (403 if planted == attacker.session_token else 303)
        assert f"servtrade={planted}" not in str(answer.headers.get_list("set-cookie"))
    assert person.session_token not in (None, "A" * 43)


def test_a_form_for_signing_in_from_another_site_is_refused(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)
    fields = {"login": "li", "password": office.passwords["li"]}
    token = person.token_of("/sign-in")
    assert person.post("/sign-in", fields, token="0" * 64).status_code == 403
    crossed = person.post("/sign-in", fields, token=token, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert person.session_token is None


def test_signing_out_ends_the_session_at_the_server_too(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)
    person.sign_in("li", office.passwords["li"])
    token = person.session_token
    assert token
    answer = person.fill_in("/sign-out", {}, on="/account")
    assert answer.headers["location"] == "/sign-in?said=signed_out"
    assert person.session_token is None
    person.client.cookies.set("servtrade", token)
    assert person.get("/account").status_code == 303


def test_an_idle_session_leads_back_to_the_sign_in(app: FastAPI, office: Office) -> None:
    start = datetime(2026, 5, 6, 4, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        office.hire("li", Role.CLERK)
        person = signed_in(app, office, "li")
        assert person.get("/account").status_code == 200
        clock.move_to(start + timedelta(minutes=31))
        assert person.get("/account").headers["location"] == "/sign-in?next=/account"


def test_a_locked_account_is_out_with_the_next_click(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    person = signed_in(app, office, "li")
    assert person.get("/account").status_code == 200
    office.accounts.lock(office.actor("secadmin"), "li", reason="离岗停用账号")
    assert person.get("/account").status_code == 303


# -- the first password and the second step ----------------------------------------------------------------------


def test_a_one_time_password_leads_to_the_choice_of_an_own_one(person: Person, office: Office) -> None:
    made = office.accounts.create(office.actor("sysadmin"), "li", "李")
    person.sign_in("li", made.one_time_password)
    before = person.session_token
    for path in ("/", "/account", "/rules"):
        assert person.get(path).headers["location"] == "/account/password"
    form = {"present": made.one_time_password, "chosen": "short", "again": "short"}
    short = person.fill_in("/account/password", form)
    assert (short.status_code, "密码太短" in short.text) == (422, True)
    differing = person.fill_in("/account/password", {**form, "chosen": CHOSEN, "again": f"{CHOSEN} "})
    assert "不一样" in differing.text
    assert CHOSEN not in differing.text
    done = person.fill_in("/account/password", {**form, "chosen": CHOSEN, "again": CHOSEN})
    assert done.headers["location"] == "/?said=password_changed"
    assert person.session_token not in (None, before)
    assert person.get("/account").status_code == 200


def test_blanks_at_the_ends_belong_to_a_password(person: Person, office: Office) -> None:
    office.hire("li", Role.CLERK)
    person.sign_in("li", office.passwords["li"])
    chosen = f"  {CHOSEN} "
    person.fill_in(
        "/account/password", {"present": office.passwords["li"], "chosen": chosen, "again": chosen}
    )
    assert office.accounts.sign_in("li", chosen, "10.7.7.7").session_token
    assert not office.accounts.sign_in("li", CHOSEN, "10.7.7.8").session_token


def test_the_second_step_is_set_up_by_picture_or_by_hand_and_asked_for_from_then_on(
    app: FastAPI, office: Office
) -> None:
    with time_machine.travel(datetime(2026, 5, 6, 4, tzinfo=UTC), tick=False) as clock:
        office.hire("li", Role.CLERK)
        person = signed_in(app, office, "li")
        assert "二维码" not in person.get("/account/second-factor").text  # nothing is made by looking
        begin = {"on": "/account/second-factor"}
        stranger = person.fill_in("/account/second-factor/begin", {"present": "guess"}, **begin)
        assert (stranger.status_code, "现用密码不对" in stranger.text) == (422, True)
        person.fill_in("/account/second-factor/begin", {"present": office.passwords["li"]}, **begin)
        shown = person.get("/account/second-factor").text
        assert 'src="data:image/svg+xml;base64,' in shown
        secret = re.search(r"<code>([A-Z2-7 ]{30,})</code>", shown)
        assert secret
        telephone = pyotp.TOTP(secret[1].replace(" ", ""))
        wrong = person.fill_in("/account/second-factor", {"code": "000000"})
        assert (wrong.status_code, "验证码不对" in wrong.text) == (422, True)
        right = person.fill_in("/account/second-factor", {"code": telephone.at(datetime.now(UTC))})
        assert right.headers["location"] == "/?said=second_factor_added"
        assert "base64" not in person.get("/account/second-factor").text

        clock.shift(60)
        again = Person(app)
        first = again.sign_in("li", office.passwords["li"], next="/account")
        assert first.headers["location"] == "/sign-in/code?next=/account"
        assert again.session_token is None
        assert again.get("/account").status_code == 303
        code_page = "/sign-in/code?next=/account"
        refused = again.fill_in("/sign-in/code", {"code": "000000", "next": "/account"}, on=code_page)
        assert (refused.status_code, "验证码不对" in refused.text) == (401, True)
        taken = again.fill_in(
            "/sign-in/code", {"code": telephone.at(datetime.now(UTC)), "next": "/account"}, on=code_page
        )
        assert taken.headers["location"] == "/account"
        assert again.get("/account").status_code == 200
        assert again.client.cookies.get("servtrade_code") is None


def test_the_page_for_the_code_is_for_who_gave_the_password(person: Person, office: Office) -> None:
    assert person.get("/sign-in/code").headers["location"] == "/sign-in"
    answer = person.post("/sign-in/code", {"code": "123456"}, token=person.token_of("/sign-in"))
    assert answer.headers["location"] == "/sign-in"


def test_an_administrator_sets_up_the_second_step_before_anything_else(
    office: Office, settings: Settings
) -> None:
    from dataclasses import replace

    with ledger_of(replace(settings, second_factor_for="administrators")) as ledger:
        person = signed_in(create_app(settings, ledger), office, "secadmin")
        assert person.get("/users").headers["location"] == "/account/second-factor"
        assert person.get("/account/second-factor").status_code == 200


# -- one's own account -------------------------------------------------------------------------------------------


def test_one_sees_and_ends_ones_own_sessions(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    office.hire("wu", Role.CLERK)
    here, there, other = (signed_in(app, office, login) for login in ("li", "li", "wu"))
    listed = here.get("/account").text
    ids = re.findall(r'name="session_id" value="([0-9a-f]{24})"', listed)
    assert len(ids) == 2
    [theirs] = re.findall(r'name="session_id" value="([0-9a-f]{24})"', other.get("/account").text)
    assert here.fill_in("/account/sessions/end", {"session_id": theirs}, on="/account").status_code == 404
    own = here.get("/account").text
    current = re.search(r"（当前）.*?value=\"([0-9a-f]{24})\"", own, re.DOTALL)
    assert current
    [elsewhere] = set(ids) - {current[1]}
    here.fill_in("/account/sessions/end", {"session_id": elsewhere}, on="/account")
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200
    ended = here.fill_in("/account/sessions/end", {"session_id": current[1]}, on="/account")
    assert ended.headers["location"] == "/sign-in?said=signed_out"
    assert other.get("/account").status_code == 200


def test_the_language_goes_with_the_account(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    person = signed_in(app, office, "li")
    person.fill_in("/account/language", {"language": "en"}, on="/account")
    assert "My account" in person.get("/account").text
    assert "My account" in signed_in(app, office, "li").get("/account").text
    assert person.fill_in("/account/language", {"language": "fr"}, on="/account").status_code == 400


# -- users -------------------------------------------------------------------------------------------------------


def test_the_system_administrator_makes_an_account_whose_password_is_shown_once(
    app: FastAPI, office: Office
) -> None:
    admin = signed_in(app, office, "sysadmin")
    made = admin.fill_in("/users", {"login": "Li", "name": XSS, "language": "zh"})
    [password] = set(ONE_TIME.findall(made.text))
    assert made.headers["cache-control"] == "no-store"
    assert "<img src=x" not in made.text
    for path in ("/users", "/users/li"):
        shown = admin.get(path).text
        assert password not in shown
        assert "<img src=x" not in shown
    assert Person(app).sign_in("li", password).status_code == 303
    again = admin.fill_in("/users", {"login": "li", "name": "李"})
    assert (again.status_code, "已有人用" in again.text) == (422, True)
    assert 'value="li"' in again.text


def test_each_administrator_sees_and_does_the_own_part_only(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    sysadmin, secadmin, clerk = (signed_in(app, office, one) for one in ("sysadmin", "secadmin", "li"))
    assert 'action="/users/li/reset"' in sysadmin.get("/users/li").text
    assert 'action="/users/li/grant"' not in sysadmin.get("/users/li").text
    assert 'action="/users/li/grant"' in secadmin.get("/users/li").text
    assert 'action="/users/li/reset"' not in secadmin.get("/users/li").text
    assert 'action="/users"' not in secadmin.get("/users").text.replace('method="get" action="/users"', "")
    forms = {
        "/users": {"login": "x1", "name": "X"},
        "/users/li/reset": {"reason": "本人遗忘密码"},
        "/users/li/grant": {"role": "analyst"},
        "/users/li/revoke": {"role": "clerk", "reason": "岗位调整了"},
        "/users/li/lock": {"reason": "离岗停用账号"},
        "/users/li/unlock": {},
        "/users/li/second-factor": {"reason": "手机遗失核实"},
        "/users/li/identity": {"identity": "x"},
    }
    for path, fields in forms.items():
        stranger = secadmin if path in ("/users", "/users/li/reset", "/users/li/identity") else sysadmin
        for one in (stranger, clerk):
            assert one.post(path, dict(fields), token=one.token_of("/account")).status_code == 403, path
    assert [account.login for account in office.accounts.all(OPERATOR)] == [
        "auditadmin",
        "li",
        "secadmin",
        "sysadmin",
    ]
    assert office.actor("li").roles == {Role.CLERK}


def test_the_security_administrator_grants_locks_unlocks_and_revokes(app: FastAPI, office: Office) -> None:
    office.accounts.create(office.actor("sysadmin"), "li", "李")
    admin = signed_in(app, office, "secadmin")

    def act(name: str, **fields: str) -> httpx.Response:
        return admin.fill_in(f"/users/li/{name}", dict(fields), on="/users/li")

    missing = act("grant", role="reporter")
    assert (missing.status_code, "企业代码" in missing.text) == (409, True)
    assert act("grant", role="reporter", enterprises=f" {ENTERPRISE}，").status_code == 303
    assert ENTERPRISE in admin.get("/users/li").text
    assert act("lock", reason="x").status_code == 409
    act("lock", reason="离岗停用账号")
    assert "已锁定" in admin.get("/users/li").text
    act("unlock")
    act("revoke", role="reporter", reason="岗位调整了")
    assert office.actor("li").roles == frozenset()
    assert act("grant", role="king").status_code == 400


def test_an_identity_is_linked_by_one_administrator_and_released_by_another(
    app: FastAPI, office: Office
) -> None:
    office.hire("li", Role.CLERK)
    system, security = signed_in(app, office, "sysadmin"), signed_in(app, office, "secadmin")
    assert 'action="/users/li/identity"' not in security.get("/users/li").text
    assert system.fill_in("/users/li/identity", {"identity": "unified-7"}, on="/users/li").status_code == 303
    waiting = security.get("/users/li").text
    assert "已重置，待解锁" in waiting
    assert "统一身份认证：unified-7" in waiting, "the one who releases it sees what they release"
    security.fill_in("/users/li/unlock", {"reason": "已与本人核实"}, on="/users/li")
    assert office.accounts.get("li", OPERATOR).state == "active"


def test_who_failed_too_often_is_shown_and_let_in_again(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    guesser = Person(app)
    for _ in range(6):
        guesser.sign_in("li", "wrong")
    admin = signed_in(app, office, "secadmin")
    assert "输错次数过多" in admin.get("/users").text
    admin.fill_in("/users/li/unlock", {}, on="/users/li")
    assert guesser.sign_in("li", office.passwords["li"]).status_code == 303


def test_a_reset_password_of_a_clerk_waits_for_the_security_administrator(
    app: FastAPI, office: Office
) -> None:
    office.hire("li", Role.CLERK)
    admin = signed_in(app, office, "sysadmin")
    reset = admin.fill_in("/users/li/reset", {"reason": "本人遗忘密码"}, on="/users/li")
    [password] = set(ONE_TIME.findall(reset.text))
    assert "解锁后才能使用" in reset.text
    assert Person(app).sign_in("li", password).status_code == 401
    signed_in(app, office, "secadmin").fill_in("/users/li/unlock", {"reason": "已核实"}, on="/users/li")
    assert Person(app).sign_in("li", password).status_code == 303


@pytest.mark.parametrize("login", ["nobody", "%00", "..%2F..%2Fetc", "x" * 300])
def test_an_account_that_is_not_there_is_not_found(app: FastAPI, office: Office, login: str) -> None:
    assert signed_in(app, office, "secadmin").get(f"/users/{login}").status_code == 404


# -- the audit log -----------------------------------------------------------------------------------------------


def test_the_audit_administrator_looks_through_the_log(app: FastAPI, office: Office) -> None:
    office.accounts.create(office.actor("sysadmin"), "li", XSS)
    auditor = signed_in(app, office, "auditadmin")
    everything = auditor.get("/audit").text
    assert "account.created" in everything
    assert "<img src=x" not in everything
    filtered = auditor.get("/audit?action=session&actor=auditadmin").text
    assert "session.started" in filtered
    assert "account.created</code>" not in filtered
    assert auditor.get("/audit?since=gestern").status_code == 400
    for odd in (
        "number=999999999999999999999",
        "number=-5",
        "actor=%00",
        "since=9999-12-31",
        "until=0001-01-01",
    ):
        assert auditor.get(f"/audit?{odd}").status_code == 200, odd
    assert auditor.get("/audit?number=x").status_code in (400, 422)


def test_every_act_of_the_ledger_has_a_name_for_people(app: FastAPI) -> None:
    house = Path(__file__).resolve().parents[2]
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("ledger", "reception", "portal")
        for path in (house / "pipelines" / folder).rglob("*.py")
    )
    kinds = "account|address|audit|enterprise|explanation|file|finding|month|register|reminder|role|session|sign_in"
    calls = re.findall(
        rf'(?:append|NewEntry|record)\(\s*(?:\w+,\s*){{0,2}}"((?:{kinds}|submission|upload)\.[a-z_]+)"', text
    )
    assert len(set(calls)) > 20
    words = app.state.frame.words
    assert [
        one for one in sorted(set(calls)) if f"audit_actions.action_{one.replace('.', '_')}" not in words
    ] == []


def test_the_log_is_paged(app: FastAPI, office: Office) -> None:
    from pipelines.ledger.audit import NewEntry

    office.ledger.audit.record(
        OPERATOR, [NewEntry("file.downloaded", "submission", f"s{n}") for n in range(60)]
    )
    auditor = signed_in(app, office, "auditadmin")
    first = auditor.get("/audit?action=file").text
    assert "s59" in first
    assert "<code>s0</code>" not in first
    older = re.search(r'href="(/audit\?action=file&amp;number=2)"', first)
    assert older
    assert "<code>s0</code>" in auditor.get(older[1].replace("&amp;", "&")).text


def test_verification_on_the_page(app: FastAPI, office: Office, settings: Settings) -> None:
    auditor = signed_in(app, office, "auditadmin")
    head = json.dumps({"head": office.ledger.audit.head().as_json()})
    good = auditor.fill_in("/audit/verification", {"head": head}, on="/audit")
    assert (good.status_code, "日志完整" in good.text) == (200, True)
    assert auditor.fill_in("/audit/verification", {"head": "no head"}, on="/audit").status_code == 400
    engine = create_engine(settings.ledger_url)
    with engine.begin() as connection:
        connection.execute(text("drop trigger audit_entry_no_delete"))
        connection.execute(text("delete from audit_entry where sequence = 3"))
    engine.dispose()
    bad = auditor.fill_in("/audit/verification", {}, on="/audit")
    assert "日志与当初写入的不符" in bad.text
    assert "第 3 条不见了" in bad.text


def test_verification_without_the_key_calls_the_log_neither_whole_nor_changed(
    app: FastAPI, office: Office, settings: Settings
) -> None:
    auditor = signed_in(app, office, "auditadmin")
    key = settings.data_dir / "secrets" / KEY_FILE
    key.rename(key.with_name("kept.key"))
    told = auditor.fill_in("/audit/verification", {}, on="/audit")
    assert told.status_code == 200
    assert "缺少封存日志的密钥，无法核验" in told.text
    assert "数据文件夹中没有这把密钥" in told.text
    assert "日志完整，" not in told.text
    assert "日志与当初写入的不符" not in told.text


def test_an_export_is_a_file_and_stands_in_the_log(app: FastAPI, office: Office) -> None:
    auditor = signed_in(app, office, "auditadmin")
    fields = {"format": "csv", "action": "role"}
    answer = auditor.fill_in("/audit/export", dict(fields), on="/audit")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["action"] for row in rows} == {"role.granted"}
    lines = auditor.fill_in("/audit/export", {"format": "ndjson"}, on="/audit").text.splitlines()
    assert "head" in json.loads(lines[-1])
    assert json.loads(lines[-2])["action"] == "audit.exported"
    assert auditor.fill_in("/audit/export", {"format": "exe"}, on="/audit").status_code == 400
    assert auditor.get("/audit/export").status_code == 405


def test_nobody_but_the_audit_administrator_sees_the_log(app: FastAPI, office: Office) -> None:
    office.hire("li", Role.CLERK)
    for login in ("sysadmin", "secadmin", "li"):
        one = signed_in(app, office, login)
        assert one.get("/audit").status_code == 403
        for path in ("/audit/export", "/audit/verification"):
            assert one.post(path, {"format": "csv"}, token=one.token_of("/account")).status_code == 403


def test_the_log_of_requests_holds_no_password_no_code_and_no_token(
    app: FastAPI, office: Office, settings: Settings
) -> None:
    office.hire("li", Role.CLERK)
    Person(app).sign_in("li", "typed-wrong-password")
    person = signed_in(app, office, "li")
    token = person.session_token
    written = "".join(path.read_text(encoding="utf-8") for path in (settings.data_dir / "logs").glob("*"))
    assert "/sign-in" in written
    for secret in (office.passwords["li"], "typed-wrong-password", str(token)):
        assert secret not in written


def test_a_ledger_of_its_own_is_opened_with_its_key(settings: Settings, office: Office) -> None:
    ledger: Ledger = create_app(settings).state.ledger
    with ledger:
        assert ledger.audit.verify() == []
        assert ledger.accounts.profile.second_factor_for == "none"
