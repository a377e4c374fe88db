"""The three administrators, each with only their own part; and accounts that nobody shares."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.ledger import Ledger
from pipelines.ledger.accounts import AccountRefused, UnknownAccount
from pipelines.ledger.actors import ADMINISTRATORS, Actor, NotAllowed, Role
from pipelines.ledger.sign_in import Outcome
from tests.ledger.people import ENTERPRISE, HOME, OPERATOR, Office

REASON = "按规定办理"
Act = Callable[[Office, Actor], object]

# What only one of the administrators may do.
ACTS: dict[str, tuple[Role, Act]] = {
    "create": (Role.SYSTEM_ADMIN, lambda o, a: o.accounts.create(a, "new", "新人")),
    "reset_password": (Role.SYSTEM_ADMIN, lambda o, a: o.accounts.reset_password(a, "li", reason=REASON)),
    "grant": (Role.SECURITY_ADMIN, lambda o, a: o.accounts.grant(a, "li", Role.ANALYST)),
    "revoke": (Role.SECURITY_ADMIN, lambda o, a: o.accounts.revoke(a, "li", Role.CLERK, reason=REASON)),
    "lock": (Role.SECURITY_ADMIN, lambda o, a: o.accounts.lock(a, "li", reason=REASON)),
    "unlock": (Role.SECURITY_ADMIN, lambda o, a: o.accounts.unlock(a, "li")),
    "unlock_address": (Role.SECURITY_ADMIN, lambda o, a: o.accounts.unlock_address(a, HOME)),
    "reset_second_factor": (
        Role.SECURITY_ADMIN,
        lambda o, a: o.accounts.reset_second_factor(a, "li", reason=REASON),
    ),
    "link_identity": (Role.SYSTEM_ADMIN, lambda o, a: o.accounts.link_identity(a, "li", "id-1")),
}


def test_each_act_is_open_to_one_role_and_leaves_a_trace(office: Office) -> None:
    office.hire("li", Role.CLERK)
    for right_role, do in ACTS.values():
        before = office.ledger.audit.entries(reader=OPERATOR).entry_count
        for role in Role:
            if role is not right_role:
                with pytest.raises(NotAllowed):
                    do(office, Actor("somebody", frozenset({role}), account_id=999))
        with pytest.raises(NotAllowed):
            do(office, Actor("somebody", account_id=999))
        assert office.ledger.audit.entries(reader=OPERATOR).entry_count == before
        do(office, Actor("somebody", frozenset({right_role}), account_id=999))
        after = office.ledger.audit.entries(reader=OPERATOR)
        assert after.entry_count == before + 1
        assert after.entries[0].actor == "somebody"


def test_a_new_ledger_has_no_account_and_nobody_comes_in(ledger: Ledger) -> None:
    assert ledger.accounts.all(OPERATOR) == []
    for login in ("admin", "sysadmin", "root", "test"):
        assert ledger.accounts.sign_in(login, login, HOME).outcome is Outcome.REFUSED


def test_the_three_administrators_are_made_once_and_only_on_the_machine(ledger: Ledger) -> None:
    with pytest.raises(NotAllowed):
        ledger.accounts.init_administrators(Actor("x", frozenset({Role.SYSTEM_ADMIN})))
    made = ledger.accounts.init_administrators(OPERATOR)
    assert [(one.account.login, one.account.roles) for one in made] == [
        ("sysadmin", {Role.SYSTEM_ADMIN}),
        ("secadmin", {Role.SECURITY_ADMIN}),
        ("auditadmin", {Role.AUDIT_ADMIN}),
    ]
    assert all(one.account.is_password_one_time for one in made)
    assert len({one.one_time_password for one in made}) == 3
    with pytest.raises(AccountRefused, match="已经有账号"):
        ledger.accounts.init_administrators(OPERATOR)
    assert len(ledger.accounts.all(OPERATOR)) == 3


def test_the_first_run_done_twice_at_once_makes_three_accounts(ledger: Ledger) -> None:
    def first_run(_number: int) -> int:
        try:
            return len(ledger.accounts.init_administrators(OPERATOR))
        except AccountRefused:
            return 0

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(first_run, range(3))) == [0, 0, 3]


def test_a_new_account_has_no_role_and_sees_nothing(office: Office) -> None:
    made = office.accounts.create(office.actor("sysadmin"), "li", "李")
    assert made.account.roles == frozenset()
    session = office.accounts.session(office.token("li", made.one_time_password), HOME)
    assert session is not None
    assert not session.actor.may_see(ENTERPRISE, "420102")
    assert not session.actor.may_file


@pytest.mark.parametrize("administrator", sorted(ADMINISTRATORS))
def test_an_administrator_holds_no_other_role(office: Office, administrator: Role) -> None:
    office.hire("chief", administrator)
    scopes = {
        Role.REPORTER: {"enterprise_codes": [ENTERPRISE]},
        Role.DISTRICT_REVIEWER: {"district_codes": ["420102"]},
    }
    for other in set(Role) - {administrator}:
        with pytest.raises(AccountRefused, match="三员"):
            office.accounts.grant(office.actor("secadmin"), "chief", other, **scopes.get(other, {}))
    assert office.actor("chief").roles == {administrator}


def test_a_reporter_is_nothing_else_and_an_official_sees_totals_only(office: Office) -> None:
    office.hire("li", Role.REPORTER)
    office.hire("chief", Role.OFFICIAL)
    for login in ("li", "chief"):
        with pytest.raises(AccountRefused):
            office.accounts.grant(office.actor("secadmin"), login, Role.CLERK)


def test_clerk_and_analyst_may_be_one_person(office: Office) -> None:
    office.hire("li", Role.CLERK, Role.ANALYST)
    assert office.actor("li").roles == {Role.CLERK, Role.ANALYST}


def test_a_scope_belongs_to_the_role_and_exists(office: Office) -> None:
    office.accounts.create(office.actor("sysadmin"), "li", "李")
    for role, scope, said in (
        (Role.REPORTER, {}, "企业代码"),
        (Role.REPORTER, {"enterprise_codes": ["", " "]}, "企业代码"),
        (Role.REPORTER, {"enterprise_codes": ["91120116MA09UNKNOWN"]}, "名录中没有"),
        (Role.REPORTER, {"enterprise_codes": [ENTERPRISE], "district_codes": ["420102"]}, "所在区"),
        (Role.DISTRICT_REVIEWER, {}, "所在区"),
        (Role.DISTRICT_REVIEWER, {"district_codes": ["nowhere"]}, "没有这个区"),
        (Role.CLERK, {"enterprise_codes": [ENTERPRISE]}, "企业代码"),
        (Role.ANALYST, {"district_codes": ["420102"]}, "所在区"),
    ):
        with pytest.raises(AccountRefused, match=said):
            office.accounts.grant(office.actor("secadmin"), "li", role, **scope)
    assert office.actor("li").roles == frozenset()


def test_a_scope_given_again_replaces_the_earlier_one_and_goes_with_the_role(office: Office) -> None:
    office.hire("li", Role.DISTRICT_REVIEWER)
    assert office.actor("li").district_codes == {"420102"}
    office.accounts.grant(office.actor("secadmin"), "li", Role.DISTRICT_REVIEWER, district_codes=["江汉区"])
    assert office.actor("li").district_codes == {"420103"}
    office.accounts.revoke(office.actor("secadmin"), "li", Role.DISTRICT_REVIEWER, reason=REASON)
    assert office.actor("li").district_codes == frozenset()
    assert office.told("role.revoked")[-1][2] == {
        "roles": [],
        "enterprise_codes": [],
        "district_codes": [],
    }


def test_granting_what_is_granted_already_changes_and_records_nothing(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    before = len(office.told("role.granted"))
    office.accounts.grant(office.actor("secadmin"), "li", Role.CLERK)
    assert len(office.told("role.granted")) == before
    assert office.accounts.session(token, HOME) is not None


def test_nobody_acts_on_the_own_account(office: Office) -> None:
    secadmin, sysadmin = office.actor("secadmin"), office.actor("sysadmin")
    for act in (
        lambda: office.accounts.grant(secadmin, "secadmin", Role.CLERK),
        lambda: office.accounts.revoke(secadmin, "secadmin", Role.SECURITY_ADMIN, reason=REASON),
        lambda: office.accounts.lock(secadmin, "secadmin", reason=REASON),
        lambda: office.accounts.unlock(secadmin, "SECADMIN"),
        lambda: office.accounts.reset_second_factor(secadmin, "secadmin", reason=REASON),
        lambda: office.accounts.link_identity(sysadmin, "sysadmin", "me"),
        lambda: office.accounts.reset_password(sysadmin, "sysadmin", reason=REASON),
    ):
        with pytest.raises(NotAllowed, match="自己的账号"):
            act()


@pytest.mark.parametrize(
    ("login", "role"), [("sysadmin", Role.SYSTEM_ADMIN), ("auditadmin", Role.AUDIT_ADMIN)]
)
def test_the_last_administrator_of_a_kind_stays(office: Office, login: str, role: Role) -> None:
    secadmin = office.actor("secadmin")
    with pytest.raises(AccountRefused, match="最后一位"):
        office.accounts.lock(secadmin, login, reason=REASON)
    with pytest.raises(AccountRefused, match="最后一位"):
        office.accounts.revoke(secadmin, login, role, reason=REASON)
    office.hire("second", role)
    office.accounts.lock(secadmin, login, reason=REASON)


def test_who_resets_a_clerks_password_cannot_come_in_as_the_clerk(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    reset = office.accounts.reset_password(office.actor("sysadmin"), "li", reason="本人遗忘密码")
    assert reset.account.state == "reset"
    assert office.accounts.session(token, HOME) is None
    assert office.accounts.sign_in("li", reset.one_time_password, HOME).outcome is Outcome.REFUSED
    office.accounts.unlock(office.actor("secadmin"), "li", reason="已与本人核实")
    answer = office.accounts.sign_in("li", reset.one_time_password, HOME)
    assert answer.outcome is Outcome.SIGNED_IN
    session = office.accounts.session(answer.session_token, HOME)
    assert session is not None
    assert session.must_change_password


@pytest.mark.parametrize("role", list(Role))
def test_whatever_role_somebody_has_one_administrator_alone_does_not_come_in_as_them(
    office: Office, role: Role
) -> None:
    office.hire("li", role)
    sysadmin = office.actor("sysadmin")
    reset = office.accounts.reset_password(sysadmin, "li", reason="本人遗忘密码")
    assert office.accounts.sign_in("li", reset.one_time_password, HOME).outcome is Outcome.REFUSED
    with pytest.raises(NotAllowed):
        office.accounts.unlock(sysadmin, "li")
    office.accounts.unlock(office.actor("secadmin"), "li", reason="已与本人核实")
    assert office.accounts.sign_in("li", reset.one_time_password, HOME).outcome is Outcome.SIGNED_IN


def test_an_account_without_a_role_waits_for_nobody(office: Office) -> None:
    office.accounts.create(office.actor("sysadmin"), "li", "李")
    reset = office.accounts.reset_password(office.actor("sysadmin"), "li", reason="本人遗忘密码")
    assert office.accounts.sign_in("li", reset.one_time_password, HOME).outcome is Outcome.SIGNED_IN


def test_neither_administrator_alone_comes_in_through_the_citys_sign_in(office: Office) -> None:
    office.hire("li", Role.CLERK)
    token = office.token("li")
    sysadmin, secadmin = office.actor("sysadmin"), office.actor("secadmin")
    with pytest.raises(NotAllowed):
        office.accounts.link_identity(secadmin, "li", "mallory")
    assert office.accounts.link_identity(sysadmin, "li", "mallory").state == "reset"
    assert office.accounts.session(token, HOME) is None
    assert office.accounts.sign_in_by_identity("mallory", HOME).outcome is Outcome.REFUSED
    with pytest.raises(NotAllowed):
        office.accounts.unlock(sysadmin, "li")
    office.accounts.unlock(secadmin, "li", reason="已与本人核实")
    assert office.accounts.sign_in_by_identity("mallory", HOME).outcome is Outcome.SIGNED_IN
    assert office.told("account.unlocked")[-1][2] == {
        "state": "active",
        "failures_forgotten": False,
        "is_password_one_time": False,
        "oidc_identity": "mallory",
    }
    assert office.accounts.link_identity(sysadmin, "li", None).state == "active", "nothing new opens it"


def test_the_only_security_administrator_is_not_shut_out_except_on_the_machine(office: Office) -> None:
    sysadmin = office.actor("sysadmin")
    for act in (
        lambda: office.accounts.reset_password(sysadmin, "secadmin", reason=REASON),
        lambda: office.accounts.link_identity(sysadmin, "secadmin", "id-1"),
    ):
        with pytest.raises(AccountRefused, match="唯一的安全管理员"):
            act()
    assert office.token("secadmin"), "nothing has changed"
    reset = office.accounts.reset_password(OPERATOR, "secadmin", reason=REASON)
    assert reset.account.state == "reset"
    office.accounts.unlock(OPERATOR, "secadmin", reason=REASON)
    assert office.token("secadmin", reset.one_time_password)


def test_of_two_security_administrators_one_releases_the_other(office: Office) -> None:
    office.hire("second", Role.SECURITY_ADMIN)
    office.accounts.reset_password(office.actor("sysadmin"), "secadmin", reason=REASON)
    with pytest.raises(AccountRefused, match="唯一的安全管理员"):
        office.accounts.reset_password(office.actor("sysadmin"), "second", reason=REASON)
    assert office.accounts.unlock(office.actor("second"), "secadmin").state == "active"


def test_resetting_the_password_of_a_locked_account_does_not_unlock_it(office: Office) -> None:
    office.hire("li", Role.REPORTER)
    office.accounts.lock(office.actor("secadmin"), "li", reason=REASON)
    reset = office.accounts.reset_password(office.actor("sysadmin"), "li", reason=REASON)
    assert reset.account.state == "locked"
    assert office.accounts.sign_in("li", reset.one_time_password, HOME).outcome is Outcome.REFUSED


def test_a_login_that_cannot_be_one_is_refused(office: Office) -> None:
    for login in ("", "a", "-li", "li wang", "li/../x", "<li>", "x" * 65, "cli:root", "李\u202e"):
        with pytest.raises(AccountRefused, match="登录名"):
            office.accounts.create(office.actor("sysadmin"), login, "李")
    for name in ("", "  ", "x" * 101):
        with pytest.raises(AccountRefused, match="每人一个账号"):
            office.accounts.create(office.actor("sysadmin"), "li", name)


def test_a_login_is_never_given_twice_not_even_in_other_letters(office: Office) -> None:
    office.hire("li", Role.CLERK)
    for again in ("li", "LI", "ｌｉ"):
        with pytest.raises(AccountRefused, match="已有人用"):
            office.accounts.create(office.actor("sysadmin"), again, "李")


def test_the_same_login_asked_for_twice_at_once_is_given_once(office: Office) -> None:
    sysadmin = office.actor("sysadmin")

    def make(_number: int) -> bool:
        try:
            office.accounts.create(sysadmin, "li", "李")
        except AccountRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(4))) == [False, False, False, True]


def test_an_identity_belongs_to_one_account(office: Office) -> None:
    office.hire("li", Role.CLERK)
    office.hire("wu", Role.CLERK)
    sysadmin = office.actor("sysadmin")
    office.accounts.link_identity(sysadmin, "li", "id-1")
    office.accounts.link_identity(sysadmin, "li", "id-1")
    with pytest.raises(AccountRefused, match="另一个账号"):
        office.accounts.link_identity(sysadmin, "wu", "id-1")
    assert office.accounts.link_identity(sysadmin, "li", " ").oidc_identity is None


def test_an_act_against_somebody_needs_a_reason(office: Office) -> None:
    office.hire("li", Role.CLERK)
    for reason in ("", "    ", "离岗"):
        with pytest.raises(AccountRefused, match="理由"):
            office.accounts.lock(office.actor("secadmin"), "li", reason=reason)


def test_an_account_that_is_not_there_is_told(office: Office) -> None:
    with pytest.raises(UnknownAccount, match="nobody"):
        office.accounts.lock(office.actor("secadmin"), "nobody", reason=REASON)


def test_neither_system_nor_security_administrator_reads_statistics_or_the_audit_log(office: Office) -> None:
    for login in ("sysadmin", "secadmin"):
        actor = office.actor(login)
        assert not actor.sees_all_enterprises
        assert not actor.may_see(ENTERPRISE, "420102")
        with pytest.raises(NotAllowed):
            office.ledger.audit.entries(reader=actor)
    for role in (Role.CLERK, Role.ANALYST, Role.OFFICIAL, Role.AUDIT_ADMIN, Role.REPORTER):
        with pytest.raises(NotAllowed):
            office.accounts.all(Actor("x", frozenset({role})))


def test_everything_above_leaves_a_whole_log(office: Office) -> None:
    office.hire("li", Role.CLERK)
    office.accounts.lock(office.actor("secadmin"), "li", reason=REASON)
    assert office.ledger.audit.verify() == []
    assert [who for who, _, _ in office.told("account.created")][:3] == ["cli:root"] * 3
