"""Who comes in and who does not: passwords, codes, throttling and sessions, on both databases and on bad days."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyotp
import pytest
import time_machine
from sqlalchemy import create_engine, text

from pipelines.ledger import Ledger, LedgerUnusable, open_ledger
from pipelines.ledger.accounts import Accounts
from pipelines.ledger.actors import Role
from pipelines.ledger.passwords import PasswordRefused
from pipelines.ledger.profiles import PROFILES, PasswordCost, profile_of
from pipelines.ledger.sign_in import CodeRefused, NotSignedIn, Outcome, network_of, normal_login, source_of
from tests.ledger.people import ELSEWHERE, ENTERPRISE, HOME, OPERATOR, Office, noon


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(noon(), tick=False) as traveller:
        yield traveller


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def wrong(office: Office, login: str, times: int, address: str = HOME) -> list[Outcome]:
    return [office.accounts.sign_in(login, "not the password", address).outcome for _ in range(times)]


# -- in ----------------------------------------------------------------------------------------------------------


def test_the_right_password_opens_a_session_with_the_roles_of_the_account(office: Office) -> None:
    office.hire("li", Role.REPORTER)
    session = office.accounts.session(office.token("li"), HOME)
    assert session is not None
    assert session.actor.name == "li"
    assert session.actor.roles == {Role.REPORTER}
    assert session.actor.enterprise_codes == {ENTERPRISE}
    assert session.actor.address == HOME
    assert not session.actor.is_operator
    assert (session.must_change_password, session.must_enrol_second_factor) == (False, False)
    assert office.told("session.started")[-1] == ("li", "li", {"method": "password"})


def test_a_login_is_one_however_it_is_spelled(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    for spelled in ("LI", " li ", "ｌｉ"):
        assert office.accounts.sign_in(spelled, password, HOME).outcome is Outcome.SIGNED_IN
        assert normal_login(spelled) == "li"


def test_no_answer_tells_whether_an_account_exists(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    office.hire("locked", Role.CLERK)
    office.accounts.lock(office.actor("secadmin"), "locked", reason="离岗停用账号")
    answers = {
        office.accounts.sign_in("nobody", password, HOME),
        office.accounts.sign_in("li", "wrong", HOME),
        office.accounts.sign_in("locked", office.passwords["locked"], HOME),
        office.accounts.sign_in("", "", HOME),
        office.accounts.sign_in("li' or 1=1 --", "x", HOME),
        office.accounts.sign_in("\ud800\x00", "\ud800\x00", HOME),
        office.accounts.sign_in("li", "x" * 1_000_000, HOME),
    }
    assert len(answers) == 1
    assert answers.pop().outcome is Outcome.REFUSED


def test_what_was_typed_never_stands_in_the_ledger(office: Office, ledger_url: str) -> None:
    password = office.hire("li", Role.CLERK)
    office.accounts.sign_in("my-secret-typed-as-login", "x", HOME)
    office.accounts.sign_in("li", "typed-wrong-password", HOME)
    token = office.token("li")
    for table in ("audit_entry", "account", "account_session", "sign_in_failure", "password_history"):
        content = repr(rows(ledger_url, f"select * from {table}"))
        for secret in ("my-secret-typed-as-login", "typed-wrong-password", password, token):
            assert secret not in content, table
    assert [one for one in office.told("sign_in.failed") if one[1] == ""] == [("", "", {"why": "password"})]


def test_the_token_is_256_bits_and_kept_as_its_hash_only(office: Office, ledger_url: str) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    assert len(token) == 43
    kept = {row[0] for row in rows(ledger_url, "select token_sha256 from account_session")}
    assert sha256(token.encode()).hexdigest() in kept


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(
    office: Office, ledger_url: str
) -> None:
    password = office.hire("li", Role.CLERK)
    query = "select password_hash from account where login = 'li'"
    [(before,)] = rows(ledger_url, query)
    accounts = office.accounts
    accounts.profile = replace(accounts.profile, password_cost=PasswordCost(memory_kib=128, passes=2))
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN
    [(after,)] = rows(ledger_url, query)
    assert "m=64,t=1" in str(before)
    assert "m=128,t=2" in str(after)
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN


def test_a_one_time_password_must_be_changed_and_lasts_a_week(
    office: Office, clock: time_machine.Traveller
) -> None:
    made = office.accounts.create(office.actor("sysadmin"), "li", "李")
    late = office.accounts.create(office.actor("sysadmin"), "zhao", "赵")
    session = office.accounts.session(office.token("li", made.one_time_password), HOME)
    assert session is not None
    assert session.must_change_password
    clock.move_to(noon() + timedelta(days=7))
    assert office.accounts.sign_in("zhao", late.one_time_password, HOME).outcome is Outcome.REFUSED
    assert office.told("sign_in.failed")[-1] == ("zhao", "zhao", {"why": "password_expired"})


# -- throttling --------------------------------------------------------------------------------------------------


def test_after_five_failures_nothing_is_looked_at_for_fifteen_minutes(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    assert wrong(office, "li", 7) == [Outcome.REFUSED] * 5 + [Outcome.THROTTLED] * 2
    answer = office.accounts.sign_in("li", password, HOME)
    assert answer.outcome is Outcome.THROTTLED
    assert answer.retry_after == timedelta(minutes=15)
    clock.move_to(noon() + timedelta(minutes=14, seconds=59))
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.THROTTLED
    clock.move_to(noon() + timedelta(minutes=15))
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN
    assert office.told("sign_in.throttled") == [("li", "li", {"scope": "account"})]


def test_failures_of_the_last_quarter_of_an_hour_count_wherever_it_begins(
    office: Office, clock: time_machine.Traveller
) -> None:
    office.hire("li", Role.CLERK)
    for minute in (0, 5, 10, 14):
        clock.move_to(noon() + timedelta(minutes=minute))
        assert wrong(office, "li", 1) == [Outcome.REFUSED]
    clock.move_to(noon() + timedelta(minutes=16))  # the first one is forgotten
    assert wrong(office, "li", 3) == [Outcome.REFUSED, Outcome.REFUSED, Outcome.THROTTLED]


def test_the_right_password_forgets_the_failures_before_it(office: Office) -> None:
    office.hire("li", Role.CLERK)
    for _ in range(3):
        assert wrong(office, "li", 4) == [Outcome.REFUSED] * 4
        office.token("li")


def test_nobody_locks_a_colleague_out_from_another_network(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    wrong(office, "li", 50, ELSEWHERE)
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN
    # From the attacker's own network even the right password waits.
    assert office.accounts.sign_in("li", password, "10.9.9.77").outcome is Outcome.THROTTLED


def test_a_login_that_nobody_has_is_held_off_like_any_other(office: Office) -> None:
    assert wrong(office, "nobody", 6) == [Outcome.REFUSED] * 5 + [Outcome.THROTTLED]


def test_trying_many_accounts_from_one_address_ends_after_twenty(office: Office) -> None:
    outcomes = [office.accounts.sign_in(f"user{n}", "Spring 2026 !!", ELSEWHERE).outcome for n in range(22)]
    assert outcomes == [Outcome.REFUSED] * 20 + [Outcome.THROTTLED] * 2
    assert office.accounts.sign_in("user0", "x", HOME).outcome is Outcome.REFUSED
    assert office.accounts.unlock_address(office.actor("secadmin"), ELSEWHERE) == 1
    assert office.accounts.sign_in("user99", "x", ELSEWHERE).outcome is Outcome.REFUSED


def test_addresses_of_one_network_of_ipv6_are_counted_together(office: Office) -> None:
    addresses = [f"2001:db8:1:2:{n:x}::{n:x}" for n in range(1, 24)]
    outcomes = [office.accounts.sign_in(f"user{n}", "x", one).outcome for n, one in enumerate(addresses)]
    assert outcomes == [Outcome.REFUSED] * 20 + [Outcome.THROTTLED] * 3
    assert office.accounts.sign_in("user99", "x", "2001:db8:1:3::1").outcome is Outcome.REFUSED
    assert office.accounts.unlock_address(office.actor("secadmin"), addresses[0]) == 21, (
        "and the logins tried"
    )
    assert office.accounts.sign_in("user99", "x", addresses[1]).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_failures_are_counted_by_address_and_of_ipv6_by_network(address: str, source: str) -> None:
    assert source_of(address) == source


def test_the_security_administrator_lets_somebody_in_before_the_time(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    wrong(office, "li", 6)
    assert list(office.accounts.blocked_until(office.actor("secadmin"))) == ["li"]
    office.accounts.unlock(office.actor("secadmin"), "li", reason="本人来电核实")
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN
    assert office.told("account.unlocked")[-1][2] == {"state": "active", "failures_forgotten": True}


def test_failures_outlive_a_restart(office: Office, ledger_url: str, tmp_path: Path) -> None:
    password = office.hire("li", Role.CLERK)
    wrong(office, "li", 5)
    with open_ledger(ledger_url, secrets_dir=tmp_path / "secrets") as restarted:
        assert restarted.accounts.sign_in("li", password, HOME).outcome is Outcome.THROTTLED


def test_many_attempts_at_once_are_still_five(office: Office) -> None:
    office.hire("li", Role.CLERK)
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(
            pool.map(lambda n: office.accounts.sign_in("li", f"guess number {n}", HOME).outcome, range(24))
        )
    assert outcomes.count(Outcome.REFUSED) == 5
    assert outcomes.count(Outcome.THROTTLED) == 19
    assert office.ledger.audit.verify() == []


def test_setting_the_clock_back_frees_nobody(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    wrong(office, "li", 5)
    clock.move_to(noon() - timedelta(hours=3))
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.THROTTLED


def test_a_clock_that_was_wrong_by_years_does_not_lock_out_for_years(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    clock.move_to(datetime(2031, 1, 1, tzinfo=UTC))
    wrong(office, "li", 5)
    clock.move_to(noon())
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("::ffff:10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_network_is_the_neighbourhood_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


# -- sessions ----------------------------------------------------------------------------------------------------


def test_a_session_ends_after_thirty_idle_minutes_and_lives_on_while_used(
    office: Office, clock: time_machine.Traveller
) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    for minutes in (29, 58, 87):
        clock.move_to(noon() + timedelta(minutes=minutes))
        assert office.accounts.session(token, HOME) is not None
    clock.move_to(noon() + timedelta(minutes=117))
    assert office.accounts.session(token, HOME) is None
    assert office.accounts.sessions_of(office.actor("li").account_id) == []


def test_a_session_ends_after_eight_hours_however_busy(office: Office, clock: time_machine.Traveller) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    for minutes in range(0, 480, 20):
        clock.move_to(noon() + timedelta(minutes=minutes))
        assert office.accounts.session(token, HOME) is not None
    clock.move_to(noon() + timedelta(hours=8))
    assert office.accounts.session(token, HOME) is None


def test_a_session_does_not_outlive_a_clock_that_was_set_back(
    office: Office, clock: time_machine.Traveller
) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    clock.move_to(noon() - timedelta(minutes=1))  # a correction
    assert office.accounts.session(token, HOME) is not None
    clock.move_to(noon() - timedelta(hours=1))
    assert office.accounts.session(token, HOME) is None


def test_signing_out_ends_the_session_for_good(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    office.accounts.sign_out(token, HOME)
    office.accounts.sign_out(token, HOME)
    assert office.accounts.session(token, HOME) is None
    assert [one for one in office.told("session.ended") if one[0] == "li"][-1][2] == {"why": "signed_out"}


def test_a_token_that_nobody_was_given_opens_nothing(office: Office) -> None:
    for token in ("", "x", "A" * 43, "' or 1=1", "\ud800", "\x00"):
        assert office.accounts.session(token, HOME) is None
        office.accounts.sign_out(token)
        assert not office.accounts.awaits_code(token)
        assert office.accounts.sign_in_code(token, "123456", HOME).outcome is Outcome.REFUSED


def test_every_sign_in_gives_a_new_token_so_that_none_can_be_planted(office: Office) -> None:
    office.hire("li", Role.CLERK)
    first, second = office.token("li"), office.token("li")
    assert first != second
    assert len(office.accounts.sessions_of(office.actor("li").account_id)) == 2


def test_two_sign_ins_at_once_are_two_sessions(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: office.accounts.sign_in("li", password, HOME), range(2)))
    assert [answer.outcome for answer in answers] == [Outcome.SIGNED_IN] * 2
    assert len({answer.session_token for answer in answers}) == 2


def test_one_ends_own_sessions_and_nobody_elses(office: Office) -> None:
    office.hire("li", Role.CLERK)
    office.hire("wu", Role.CLERK)
    here, there = office.token("li"), office.token("li", address=ELSEWHERE)
    li, wu = office.actor("li"), office.actor("wu")
    [other] = [one for one in office.accounts.sessions_of(li.account_id) if one.address == ELSEWHERE]
    assert not office.accounts.end_session(other.session_id, wu)
    assert office.accounts.session(there, ELSEWHERE) is not None
    assert office.accounts.end_session(other.session_id, li)
    assert not office.accounts.end_session(other.session_id, li)
    assert office.accounts.session(there, ELSEWHERE) is None
    assert office.accounts.session(here, HOME) is not None


def test_the_session_of_a_locked_account_is_over_at_once(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    office.accounts.lock(office.actor("secadmin"), "li", reason="离岗停用账号")
    assert office.accounts.session(token, HOME) is None
    office.accounts.unlock(office.actor("secadmin"), "li")
    assert office.accounts.session(token, HOME) is None


def test_a_change_of_roles_asks_for_a_new_sign_in(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    office.accounts.grant(office.actor("secadmin"), "li", Role.ANALYST)
    assert office.accounts.session(token, HOME) is None
    session = office.accounts.session(office.token("li"), HOME)
    assert session is not None
    assert session.actor.roles == {Role.CLERK, Role.ANALYST}


# -- passwords ---------------------------------------------------------------------------------------------------


def test_changing_the_password_gives_a_new_token_and_ends_the_other_sessions(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    here, there = office.token("li"), office.token("li")
    renewed = office.accounts.change_password(here, password, "purple mango radio 5", HOME)
    assert office.accounts.session(renewed, HOME) is not None
    assert office.accounts.session(here, HOME) is None
    assert office.accounts.session(there, HOME) is None
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.REFUSED
    assert office.accounts.sign_in("li", "purple mango radio 5", HOME).outcome is Outcome.SIGNED_IN


def test_a_stolen_session_does_not_guess_the_present_password(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    for _ in range(5):
        with pytest.raises(PasswordRefused, match="现用密码不对"):
            office.accounts.change_password(token, "guess", "purple mango radio 5", HOME)
    with pytest.raises(PasswordRefused, match="输错次数过多"):
        office.accounts.change_password(token, "guess", "purple mango radio 5", HOME)


def test_the_same_password_again_is_no_change(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    with pytest.raises(PasswordRefused, match="用过"):
        office.accounts.change_password(office.token("li"), password, password, HOME)


def test_a_one_time_password_cannot_be_kept(office: Office) -> None:
    made = office.accounts.create(office.actor("sysadmin"), "li", "李")
    token = office.token("li", made.one_time_password)
    with pytest.raises(PasswordRefused, match="用过"):
        office.accounts.change_password(token, made.one_time_password, made.one_time_password, HOME)


def test_without_a_session_no_password_changes(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    with pytest.raises(NotSignedIn):
        office.accounts.change_password("no token", password, "purple mango radio 5", HOME)


def test_asvs_never_asks_for_another_password(office: Office, clock: time_machine.Traveller) -> None:
    office.hire("li", Role.CLERK)
    clock.move_to(noon() + timedelta(days=1_000))
    session = office.accounts.session(office.token("li"), HOME)
    assert session is not None
    assert not session.must_change_password


def test_dengbao_asks_for_another_password_after_ninety_days_and_for_none_of_the_last_five(
    office: Office, clock: time_machine.Traveller
) -> None:
    accounts: Accounts = Accounts(office.ledger._engine, profile_of("dengbao", "administrators"))
    password = office.hire("li", Role.CLERK)
    clock.move_to(noon() + timedelta(days=89))
    session = accounts.session(office.token("li"), HOME)
    assert session is not None
    assert not session.must_change_password
    clock.move_to(noon() + timedelta(days=90))
    token = office.token("li")
    session = accounts.session(token, HOME)
    assert session is not None
    assert session.must_change_password

    used = [password]
    for word in ("Purple", "Yellow", "Orange", "Silver"):
        chosen = f"{word} mango radio lamp"
        token = accounts.change_password(token, used[-1], chosen, HOME)
        used.append(chosen)
    for one in used:
        with pytest.raises(PasswordRefused, match="用过"):
            accounts.change_password(token, used[-1], one, HOME)
    token = accounts.change_password(token, used[-1], "Copper mango radio lamp", HOME)
    accounts.change_password(token, "Copper mango radio lamp", used[0], HOME)  # six ago


# -- the second factor -------------------------------------------------------------------------------------------


def enrolled(office: Office, login: str) -> pyotp.TOTP:
    token = office.token(login)
    begun = office.accounts.begin_second_factor(token, office.passwords[login], HOME)
    app = pyotp.TOTP(begun.secret)
    office.accounts.confirm_second_factor(token, app.at(datetime.now(UTC)), HOME)
    return app


def test_with_a_second_factor_the_password_alone_opens_nothing(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    clock.shift(60)
    first = office.accounts.sign_in("li", password, HOME)
    assert first.outcome is Outcome.CODE_NEEDED
    assert first.session_token
    assert office.accounts.session(first.session_token, HOME) is None
    assert office.accounts.awaits_code(first.session_token)
    assert office.accounts.sign_in_code(first.session_token, "000000", HOME).outcome is Outcome.REFUSED
    second = office.accounts.sign_in_code(first.session_token, app.at(datetime.now(UTC)), HOME)
    assert second.outcome is Outcome.SIGNED_IN
    assert second.session_token not in (None, first.session_token)
    assert not office.accounts.awaits_code(first.session_token)
    assert office.told("session.started")[-1] == ("li", "li", {"method": "password+code"})


def test_password_and_code_may_come_together(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    clock.shift(60)
    code = app.at(datetime.now(UTC))
    assert office.accounts.sign_in("li", password, HOME, totp="000000").outcome is Outcome.REFUSED
    assert office.accounts.sign_in("li", password, HOME, totp=code).outcome is Outcome.SIGNED_IN
    assert office.accounts.sign_in("li", password, HOME, totp=code).outcome is Outcome.REFUSED


def test_a_code_is_good_once(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    used = app.at(datetime.now(UTC))  # at enrolment
    again = office.accounts.sign_in("li", password, HOME)
    assert office.accounts.sign_in_code(again.session_token, used, HOME).outcome is Outcome.REFUSED
    clock.shift(30)
    fresh = app.at(datetime.now(UTC))
    with ThreadPoolExecutor(4) as pool:
        waiting = [office.accounts.sign_in("li", password, HOME).session_token for _ in range(4)]
        outcomes = list(
            pool.map(lambda token: office.accounts.sign_in_code(token, fresh, HOME).outcome, waiting)
        )
    assert outcomes.count(Outcome.SIGNED_IN) == 1


def test_an_earlier_code_stays_used_when_the_clock_is_set_back(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    clock.move_to(noon() - timedelta(seconds=60))
    code = app.at(datetime.now(UTC))
    assert office.accounts.sign_in("li", password, HOME, totp=code).outcome is Outcome.REFUSED


def test_a_telephone_half_a_minute_off_is_understood(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    for seconds in (-30, 0, 30):
        clock.shift(300)
        code = app.at(datetime.now(UTC) + timedelta(seconds=seconds))
        spaced = f"{code[:3]} {code[3:]}"
        assert office.accounts.sign_in("li", password, HOME, totp=spaced).outcome is Outcome.SIGNED_IN
    clock.shift(300)
    code = app.at(datetime.now(UTC) + timedelta(seconds=61))
    assert office.accounts.sign_in("li", password, HOME, totp=code).outcome is Outcome.REFUSED


def test_what_is_no_code_is_refused(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    enrolled(office, "li")
    for code in ("", "12345", "1234567", "abcdef", "１２３４５６", "\ud800", "0" * 100_000):
        assert office.accounts.sign_in("li", password, HOME, totp=code).outcome is Outcome.REFUSED
        office.accounts.unlock(office.actor("secadmin"), "li")


def test_codes_cannot_be_guessed_from_many_networks(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    enrolled(office, "li")
    outcomes = [
        office.accounts.sign_in("li", password, f"10.{n}.0.1", totp="000000").outcome for n in range(7)
    ]
    assert outcomes == [Outcome.REFUSED] * 5 + [Outcome.THROTTLED] * 2


def test_who_has_to_wait_with_a_code_need_not_begin_again(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    token = office.accounts.sign_in("li", password, HOME).session_token
    outcomes = [office.accounts.sign_in_code(token, "000000", HOME).outcome for _ in range(6)]
    assert outcomes == [Outcome.REFUSED] * 5 + [Outcome.THROTTLED]
    assert office.accounts.awaits_code(token)
    office.accounts.unlock(office.actor("secadmin"), "li", reason="本人来电核实")
    clock.shift(60)
    answer = office.accounts.sign_in_code(token, app.at(datetime.now(UTC)), HOME)
    assert answer.outcome is Outcome.SIGNED_IN
    assert not office.accounts.awaits_code(token)


def test_the_step_between_password_and_code_lasts_five_minutes(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    token = office.accounts.sign_in("li", password, HOME).session_token
    clock.shift(301)
    assert not office.accounts.awaits_code(token)
    assert office.accounts.sign_in_code(token, app.at(datetime.now(UTC)), HOME).outcome is Outcome.REFUSED


def test_a_lock_between_password_and_code_keeps_the_person_out(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    app = enrolled(office, "li")
    clock.shift(60)
    token = office.accounts.sign_in("li", password, HOME).session_token
    office.accounts.lock(office.actor("secadmin"), "li", reason="离岗停用账号")
    assert office.accounts.sign_in_code(token, app.at(datetime.now(UTC)), HOME).outcome is Outcome.REFUSED


def test_what_people_change_of_their_own_account_is_in_the_log(office: Office) -> None:
    password = office.hire("li", Role.CLERK)
    li = office.actor("li")
    office.accounts.set_language(li, "en")
    office.accounts.set_language(li, "en")
    assert office.told("account.language_set") == [("li", "li", {"language": "en"})]
    office.accounts.begin_second_factor(office.token("li"), password, HOME)
    assert office.told("account.second_factor_begun") == [("li", "li", None)]


def test_administrators_must_enrol_and_others_may(office: Office) -> None:
    office.hire("li", Role.CLERK)
    for login, must in (("secadmin", True), ("li", False)):
        session = office.accounts.session(office.token(login), HOME)
        assert session is not None
        assert session.must_enrol_second_factor is must
    for who, expected in (("everyone", True), ("none", False)):
        accounts = Accounts(office.ledger._engine, profile_of("asvs", who))
        for login in ("secadmin", "li"):
            session = accounts.session(office.token(login), HOME)
            assert session is not None
            assert session.must_enrol_second_factor is expected


def test_a_second_factor_counts_from_its_first_code_on(office: Office, clock: time_machine.Traveller) -> None:
    password = office.hire("li", Role.CLERK)
    token = office.token("li")
    assert office.accounts.pending_second_factor(office.actor("li")) is None
    begun = office.accounts.begin_second_factor(token, password, HOME)
    assert office.accounts.pending_second_factor(office.actor("li")) == begun
    assert begun.picture_svg.startswith("<svg")
    assert "script" not in begun.picture_svg
    assert begun.address.startswith("otpauth://totp/")
    with pytest.raises(CodeRefused):
        office.accounts.confirm_second_factor(token, "000000", HOME)
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN  # not in force yet
    renewed = office.accounts.confirm_second_factor(
        token, pyotp.TOTP(begun.secret).at(datetime.now(UTC)), HOME
    )
    assert office.accounts.session(token, HOME) is None
    session = office.accounts.session(renewed, HOME)
    assert session is not None
    assert session.has_second_factor
    assert office.accounts.pending_second_factor(office.actor("li")) is None
    with pytest.raises(CodeRefused):
        office.accounts.begin_second_factor(renewed, password, HOME)


def test_a_stolen_session_sets_up_no_second_factor(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    for _ in range(5):
        with pytest.raises(PasswordRefused, match="现用密码不对"):
            office.accounts.begin_second_factor(token, "guess", HOME)
    with pytest.raises(PasswordRefused, match="输错次数过多"):
        office.accounts.begin_second_factor(token, office.passwords["li"], HOME)
    assert office.accounts.pending_second_factor(office.actor("li")) is None


def test_the_secret_is_encrypted_and_of_no_use_for_another_account(
    office: Office, ledger_url: str, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    office.hire("wu", Role.CLERK)
    app = enrolled(office, "li")
    [(kept,)] = rows(ledger_url, "select totp_secret from account where login = 'li'")
    assert app.secret not in str(kept)
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(
            text("update account set totp_secret = :kept, totp_confirmed_at = :now where login = 'wu'"),
            {"kept": kept, "now": datetime.now(UTC).replace(tzinfo=None)},
        )
    engine.dispose()
    clock.shift(60)
    with pytest.raises(LedgerUnusable, match=r"ledger\.key"):
        office.accounts.sign_in("wu", office.passwords["wu"], HOME, totp=app.at(datetime.now(UTC)))
    assert (
        office.accounts.sign_in("li", password, HOME, totp=app.at(datetime.now(UTC))).outcome
        is Outcome.SIGNED_IN
    )


def test_somebody_without_the_telephone_is_helped_by_the_security_administrator(
    office: Office, clock: time_machine.Traveller
) -> None:
    password = office.hire("li", Role.CLERK)
    enrolled(office, "li")
    office.accounts.reset_second_factor(office.actor("secadmin"), "li", reason="手机遗失，当面核实")
    assert office.accounts.sign_in("li", password, HOME).outcome is Outcome.SIGNED_IN
    assert office.told("account.second_factor_reset") == [("secadmin", "li", None)]


# -- the city's identity provider --------------------------------------------------------------------------------


def test_only_a_linked_identity_comes_in_by_the_identity_provider(office: Office) -> None:
    office.hire("li", Role.CLERK)
    assert office.accounts.sign_in_by_identity("li", HOME).outcome is Outcome.REFUSED
    office.accounts.link_identity(office.actor("sysadmin"), "li", "9f2c-unified-id")
    office.accounts.unlock(office.actor("secadmin"), "li", reason="已与本人核实")
    answer = office.accounts.sign_in_by_identity("9f2c-unified-id", HOME)
    assert answer.outcome is Outcome.SIGNED_IN
    session = office.accounts.session(answer.session_token, HOME)
    assert session is not None
    assert (session.actor.name, session.method) == ("li", "oidc")
    office.accounts.lock(office.actor("secadmin"), "li", reason="离岗停用账号")
    assert office.accounts.sign_in_by_identity("9f2c-unified-id", HOME).outcome is Outcome.REFUSED


def _sign_in_elsewhere(arguments: tuple[str, str, str, str]) -> str:
    url, secrets_dir, login, password = arguments
    with open_ledger(url, secrets_dir=Path(secrets_dir)) as ledger:
        return str(ledger.accounts.sign_in(login, password, HOME).outcome)


def test_processes_that_sign_in_at_once_do_not_stop_each_other(
    office: Office, ledger_url: str, tmp_path: Path
) -> None:
    people = [(login, office.hire(login, Role.CLERK)) for login in ("li", "wu", "sun")]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        outcomes = pool.map(
            _sign_in_elsewhere,
            [(ledger_url, str(tmp_path / "secrets"), login, password) for login, password in people],
        )
    assert outcomes == ["signed_in"] * 3
    assert office.ledger.audit.verify() == []


def test_the_profiles_are_the_documented_ones(ledger: Ledger) -> None:
    assert ledger.accounts.profile == PROFILES["asvs"]
    assert PROFILES["asvs"].max_age is None
    assert PROFILES["dengbao"].max_age == timedelta(days=90)
    assert OPERATOR.is_operator
