"""Accounts and who may have them: what the administrators do, each only their own part (三员分立).

The system administrator makes accounts, hands out one-time passwords and links identities, and grants nothing; the
security administrator grants roles, locks and unlocks, and makes no account. Whoever can come in by a new password or
a new identity waits for the security administrator, so neither comes by somebody's access alone. How people sign in and
what they do with their own account is in `sign_in`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines.findings import Wording
from pipelines.ledger import audit
from pipelines.ledger import tables as t
from pipelines.ledger.actors import ADMINISTRATORS, Actor, NotAllowed, Role
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.passwords import hash_password, new_one_time_password
from pipelines.ledger.sign_in import (
    SignIns,
    end_all_sessions,
    normal_login,
    roles_and_scope,
    set_password,
    source_of,
)
from pipelines.records import storable_text

_LOGIN = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._@-]{1,63}")
_MAX_NAME_LENGTH = 100
_MAX_IDENTITY_LENGTH = 200
_MIN_REASON_LENGTH = 5

# The three administrators of a new ledger: login, name, role.
FIRST_ADMINISTRATORS: tuple[tuple[str, str, Role], ...] = (
    ("sysadmin", "系统管理员", Role.SYSTEM_ADMIN),
    ("secadmin", "安全管理员", Role.SECURITY_ADMIN),
    ("auditadmin", "审计管理员", Role.AUDIT_ADMIN),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it: no password, no secret.

    state     active; locked by the security administrator; reset: a new password or a new identity at the city's
              provider waits to be released by the security administrator
    """

    account_id: int
    login: str
    display_name: str
    state: str
    roles: frozenset[Role]
    enterprise_codes: frozenset[str]
    district_codes: frozenset[str]
    is_password_one_time: bool
    password_set_at: datetime
    has_second_factor: bool
    oidc_identity: str | None
    created_at: datetime
    created_by: str
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account with its one-time password, which is shown this once and kept nowhere."""

    account: Account
    one_time_password: str


class AccountRefused(ValueError):
    """What was asked of an account cannot be done; the wording says why and what to do."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


class UnknownAccount(AccountRefused):
    """There is no account with this login."""


class Accounts(SignIns):
    """The accounts of one ledger."""

    # -- seeing ------------------------------------------------------------------------------------------------

    def all(self, actor: Actor) -> list[Account]:
        """Every account, by login. Raises NotAllowed for all but the system and the security administrator."""
        _expect(actor, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
        with reading(self._engine) as connection:
            rows = connection.execute(select(t.account).order_by(t.account.c.login)).all()
            roles: dict[int, set[Role]] = defaultdict(set)
            for row in connection.execute(select(t.account_role)):
                roles[row.account_id].add(Role(row.role))
            codes: dict[tuple[int, str], set[str]] = defaultdict(set)
            for row in connection.execute(select(t.account_scope)):
                codes[row.account_id, row.scope_kind].add(row.code)
        return [
            _account_of(
                row,
                frozenset(roles[row.account_id]),
                frozenset(codes[row.account_id, "enterprise"]),
                frozenset(codes[row.account_id, "district"]),
            )
            for row in rows
        ]

    def get(self, login: str, actor: Actor) -> Account:
        """One account. Raises UnknownAccount, and NotAllowed like `all`."""
        _expect(actor, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
        with reading(self._engine) as connection:
            return _account(connection, _row(connection, login))

    def display_names(self) -> dict[str, str]:
        """What the person behind each login is called; logins stand wherever somebody did something."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(t.account.c.login, t.account.c.display_name)).all()
        return {row.login: row.display_name for row in rows}

    # -- the system administrator ------------------------------------------------------------------------------

    def init_administrators(self, actor: Actor) -> list[NewAccount]:
        """Make the three administrators of a ledger that has no account yet, each with a one-time password.

        Only from the machine itself. Raises AccountRefused when there is any account already.
        """
        if not actor.is_operator:
            raise _not_allowed()
        # Hashed before the lock is taken: each takes a while.
        prepared = [
            (*facts, password, hash_password(password, self.profile.password_cost))
            for facts, password in _with_passwords()
        ]
        now = datetime.now(UTC)
        made = []
        with writing(self._engine) as connection:
            audit.hold(connection)
            if connection.execute(select(func.count()).select_from(t.account)).scalar_one():
                raise AccountRefused(
                    Wording(
                        "已经有账号，不再建立三员账号。忘记密码时用 servtrade users reset。",
                        "There are accounts already; the three administrators are made only once. For a forgotten "
                        "password use servtrade users reset.",
                    )
                )
            for login, name, role, password, password_hash in prepared:
                row = self._insert(connection, login, name, password_hash, actor, now, "zh", None)
                connection.execute(
                    insert(t.account_role).values(
                        account_id=row.account_id, role=role.value, granted_at=now, granted_by=actor.name
                    )
                )
                audit.append(
                    connection,
                    actor,
                    "role.granted",
                    "account",
                    login,
                    new={"role": role},
                    reason="first run",
                )
                made.append(NewAccount(_account(connection, row), password))
        return made

    def create(
        self,
        actor: Actor,
        login: str,
        display_name: str,
        *,
        language: str = "zh",
        oidc_identity: str | None = None,
    ) -> NewAccount:
        """Make an account, without any role yet, and a one-time password that must be changed within a week.

        Raises NotAllowed for anybody but the system administrator, AccountRefused for a login that is taken or
        cannot be one, a name that says nothing, an identity that another account has.
        """
        _expect(actor, Role.SYSTEM_ADMIN)
        login, name = _checked_login(login), _checked_name(display_name)
        identity = _checked_identity(oidc_identity)
        password = new_one_time_password()
        password_hash = hash_password(password, self.profile.password_cost)
        with writing(self._engine) as connection:
            audit.hold(connection)
            _refuse_taken(connection, login, identity)
            row = self._insert(
                connection,
                login,
                name,
                password_hash,
                actor,
                datetime.now(UTC),
                language if language == "en" else "zh",
                identity,
            )
            return NewAccount(_account(connection, row), password)

    @staticmethod
    def _insert(
        connection: Connection,
        login: str,
        name: str,
        password_hash: str,
        actor: Actor,
        now: datetime,
        language: str,
        identity: str | None,
    ) -> Row[Any]:
        try:
            connection.execute(
                insert(t.account).values(
                    login=login,
                    display_name=name,
                    state="active",
                    password_hash=password_hash,
                    is_password_one_time=True,
                    password_set_at=now,
                    language=language,
                    oidc_identity=identity,
                    created_at=now,
                    created_by=actor.name,
                )
            )
        except IntegrityError as error:  # written to by something that does not take our lock
            raise _login_taken(login) from error
        new = {"display_name": name, **({"oidc_identity": identity} if identity else {})}
        audit.append(connection, actor, "account.created", "account", login, new=new)
        return _row(connection, login)

    def reset_password(self, actor: Actor, login: str, *, reason: str) -> NewAccount:
        """Give a new one-time password to somebody who has forgotten theirs; all sessions of the account end.

        An account with any role then waits for the security administrator (`unlock`): otherwise whoever resets
        passwords could come in as anybody. Raises NotAllowed for anybody but the system administrator and for
        one's own account; AccountRefused where nobody would be left who could unlock it.
        """
        _expect(actor, Role.SYSTEM_ADMIN)
        reason = _checked_reason(reason)
        password = new_one_time_password()
        password_hash = hash_password(password, self.profile.password_cost)
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            state = _state_until_released(connection, row, actor)
            set_password(connection, row, password_hash, is_one_time=True, now=now)
            connection.execute(
                update(t.account).where(t.account.c.account_id == row.account_id).values(state=state)
            )
            end_all_sessions(connection, row.account_id, "password_reset", now)
            _forget_failures_of(connection, row.account_id)
            audit.append(
                connection,
                actor,
                "account.password_reset",
                "account",
                row.login,
                old={"state": row.state},
                new={"state": state},
                reason=reason,
            )
            return NewAccount(_account(connection, _row(connection, login)), password)

    # -- the security administrator ----------------------------------------------------------------------------

    def grant(
        self,
        actor: Actor,
        login: str,
        role: Role,
        *,
        enterprise_codes: Iterable[str] = (),
        district_codes: Iterable[str] = (),
        reason: str = "",
    ) -> Account:
        """Give a role. For a reporter the enterprises, for a district reviewer the districts: all of them, each time.

        Open sessions of the account end, so that nobody goes on with another's rights. Raises NotAllowed for
        anybody but the security administrator and for one's own account; AccountRefused for a combination that
        keeps nothing apart, or a scope that is empty, unknown or out of place.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        enterprises, districts = _checked_scope(role, enterprise_codes, district_codes)
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            before = _account(connection, row)
            _refuse_combination(before.roles | {role})
            _refuse_unknown_enterprises(connection, enterprises)
            if role not in before.roles:
                connection.execute(
                    insert(t.account_role).values(
                        account_id=row.account_id, role=role.value, granted_at=now, granted_by=actor.name
                    )
                )
            for kind, codes in (("enterprise", enterprises), ("district", districts)):
                if codes:
                    _set_scope(connection, row.account_id, kind, codes)
            after = _account(connection, row)
            if after == before:
                return before
            end_all_sessions(connection, row.account_id, "roles_changed", now)
            audit.append(
                connection,
                actor,
                "role.granted",
                "account",
                row.login,
                old=_rights(before),
                new=_rights(after),
                reason=storable_text(reason).strip(),
            )
        return after

    def revoke(self, actor: Actor, login: str, role: Role, *, reason: str) -> Account:
        """Take a role away, and with it its enterprises or districts. Open sessions of the account end.

        Raises NotAllowed like `grant`; AccountRefused for the last administrator of a kind, and for a role that
        the account does not have.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        reason = _checked_reason(reason)
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            before = _account(connection, row)
            if role not in before.roles:
                raise AccountRefused(
                    Wording(f"{row.login} 没有该角色。", f"{row.login} does not have that role.")
                )
            _refuse_last(connection, row, [role])
            connection.execute(
                delete(t.account_role).where(
                    t.account_role.c.account_id == row.account_id, t.account_role.c.role == role.value
                )
            )
            for kind, of_role in (("enterprise", Role.REPORTER), ("district", Role.DISTRICT_REVIEWER)):
                if role is of_role:
                    _set_scope(connection, row.account_id, kind, frozenset())
            end_all_sessions(connection, row.account_id, "roles_changed", now)
            after = _account(connection, row)
            audit.append(
                connection,
                actor,
                "role.revoked",
                "account",
                row.login,
                old=_rights(before),
                new=_rights(after),
                reason=reason,
            )
        return after

    def lock(self, actor: Actor, login: str, *, reason: str) -> Account:
        """Keep somebody out until the account is unlocked; open sessions end at once.

        Raises NotAllowed for anybody but the security administrator and for one's own account; AccountRefused for
        the last administrator of a kind.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        reason = _checked_reason(reason)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            _refuse_last(connection, row, roles_and_scope(connection, row.account_id)[0])
            _set_state(connection, row, "locked")
            end_all_sessions(connection, row.account_id, "locked", datetime.now(UTC))
            audit.append(
                connection,
                actor,
                "account.locked",
                "account",
                row.login,
                old={"state": row.state},
                new={"state": "locked"},
                reason=reason,
            )
            return _account(connection, _row(connection, login))

    def unlock(self, actor: Actor, login: str, *, reason: str = "") -> Account:
        """Let somebody in again: who was locked, whose password was reset, or who failed too often to sign in.

        Raises NotAllowed for anybody but the security administrator and for one's own account.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            _set_state(connection, row, "active")
            # Whoever lets somebody in answers for the ways in that stand open then.
            released = {"is_password_one_time": row.is_password_one_time, "oidc_identity": row.oidc_identity}
            forgotten = _forget_failures_of(connection, row.account_id)
            audit.append(
                connection,
                actor,
                "account.unlocked",
                "account",
                row.login,
                old={"state": row.state},
                new={
                    "state": "active",
                    "failures_forgotten": forgotten > 0,
                    **(released if row.state != "active" else {}),
                },
                reason=storable_text(reason).strip(),
            )
            return _account(connection, _row(connection, login))

    def unlock_address(self, actor: Actor, address: str) -> int:
        """Forget the failed sign-ins from an address or network; gives how many counts were forgotten.

        Of IPv6 any address stands for its /64, as it is counted.

        Raises NotAllowed for anybody but the security administrator.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        address = storable_text(address).strip()
        with writing(self._engine) as connection:
            audit.hold(connection)
            count = connection.execute(
                delete(t.sign_in_failure).where(
                    t.sign_in_failure.c.address.in_({address, source_of(address)})
                )
            ).rowcount
            audit.append(connection, actor, "address.unlocked", "address", address, new={"forgotten": count})
        return count

    def reset_second_factor(self, actor: Actor, login: str, *, reason: str) -> Account:
        """Lift the second factor of somebody who has lost the telephone; open sessions end.

        Raises NotAllowed for anybody but the security administrator and for one's own account.
        """
        _expect(actor, Role.SECURITY_ADMIN)
        reason = _checked_reason(reason)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            # The last step stays: an old code must not come alive again with an old secret from a backup.
            connection.execute(
                update(t.account)
                .where(t.account.c.account_id == row.account_id)
                .values(totp_secret="", totp_confirmed_at=None)  # nosec B106
            )
            end_all_sessions(connection, row.account_id, "second_factor_reset", datetime.now(UTC))
            audit.append(
                connection, actor, "account.second_factor_reset", "account", row.login, reason=reason
            )
            return _account(connection, _row(connection, login))

    def link_identity(self, actor: Actor, login: str, identity: str | None, *, reason: str = "") -> Account:
        """Say who an account is at the city's identity provider; None unlinks it.

        An account with any role that gets another identity then waits for the security administrator (`unlock`):
        otherwise whoever links could come in as anybody. Raises NotAllowed for anybody but the system administrator
        and for one's own account; AccountRefused for an identity that another account has, and where nobody would be
        left who could unlock it.
        """
        _expect(actor, Role.SYSTEM_ADMIN)
        identity = _checked_identity(identity)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _row(connection, login)
            _refuse_own(actor, row)
            if identity == row.oidc_identity:
                return _account(connection, row)
            _refuse_taken(connection, None, identity)
            state = row.state if identity is None else _state_until_released(connection, row, actor)
            connection.execute(
                update(t.account)
                .where(t.account.c.account_id == row.account_id)
                .values(oidc_identity=identity, state=state)
            )
            end_all_sessions(connection, row.account_id, "identity_changed", datetime.now(UTC))
            audit.append(
                connection,
                actor,
                "account.identity_linked",
                "account",
                row.login,
                old={"oidc_identity": row.oidc_identity, "state": row.state},
                new={"oidc_identity": identity, "state": state},
                reason=storable_text(reason).strip(),
            )
            return _account(connection, _row(connection, login))

    def blocked_until(self, actor: Actor) -> dict[str, datetime]:
        """Logins that have failed too often to sign in from some network, and until when that network waits."""
        from pipelines.ledger.sign_in import FAILURES_AN_ACCOUNT, THROTTLE_WINDOW

        _expect(actor, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
        now = datetime.now(UTC)
        failure = t.sign_in_failure
        found: dict[str, datetime] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(
                select(failure.c.failed_at, t.account.c.login)
                .join(t.account, t.account.c.account_id == failure.c.account_id)
                .where(failure.c.last_failed_at > now - THROTTLE_WINDOW)
            ):
                moments = [datetime.fromisoformat(text) for text in row.failed_at]
                if len(moments) >= FAILURES_AN_ACCOUNT and moments[-1] - moments[0] <= THROTTLE_WINDOW:
                    until = moments[-1] + THROTTLE_WINDOW
                    found[row.login] = max(until, found.get(row.login, until - timedelta(days=1)))
        return found


# -- who may -----------------------------------------------------------------------------------------------------


def _expect(actor: Actor, *roles: Role) -> None:
    if not actor.has(*roles):
        raise _not_allowed()


def _not_allowed() -> NotAllowed:
    return NotAllowed(
        Wording(
            "您的角色不能做这件事：系统管理员建立账号、重置密码，安全管理员授予角色、锁定和解锁。",
            "Your role may not do this: the system administrator makes accounts and resets passwords, the security "
            "administrator grants roles, locks and unlocks.",
        )
    )


def _refuse_own(actor: Actor, row: Row[Any]) -> None:
    if actor.account_id == row.account_id or actor.name == row.login:
        raise NotAllowed(
            Wording(
                "不能对自己的账号做这件事。请另一位管理员办理。",
                "This cannot be done to one's own account. Another administrator has to.",
            )
        )


def _refuse_combination(roles: frozenset[Role]) -> None:
    if roles & ADMINISTRATORS and len(roles) > 1:
        raise AccountRefused(
            Wording(
                "三员（系统、安全、审计管理员）不能兼任，也不能兼其他角色。请先撤销原有角色，或另建账号。",
                "The three administrators hold no other role, nor each other's. Revoke the other role first, or make "
                "another account.",
            )
        )
    if Role.REPORTER in roles and len(roles) > 1:
        raise AccountRefused(
            Wording(
                "企业填报员不能兼任统计部门的角色。请另建账号。",
                "A reporter of an enterprise cannot hold a role in the bureau. Make another account.",
            )
        )
    if Role.OFFICIAL in roles and len(roles) > 1:
        raise AccountRefused(
            Wording(
                "领导只看汇总数，不能兼任能看到单个企业资料的角色。",
                "An official sees totals only and cannot hold a role that sees single enterprises.",
            )
        )


def _refuse_last(connection: Connection, row: Row[Any], roles: Iterable[Role]) -> None:
    for role in set(roles) & ADMINISTRATORS:
        others = connection.execute(
            select(func.count())
            .select_from(
                t.account_role.join(t.account, t.account.c.account_id == t.account_role.c.account_id)
            )
            .where(
                t.account_role.c.role == role.value,
                t.account.c.state == "active",
                t.account.c.account_id != row.account_id,
            )
        ).scalar_one()
        if not others:
            raise AccountRefused(
                Wording(
                    "这是最后一位该类管理员。请先另设一位。",
                    "This is the last administrator of this kind. Appoint another one first.",
                )
            )


def _state_until_released(connection: Connection, row: Row[Any], actor: Actor) -> str:
    """What becomes of an account that somebody else has given a new way in.

    Raises AccountRefused for the only security administrator, whom nobody could release; whoever works on the machine
    itself can.
    """
    roles = roles_and_scope(connection, row.account_id)[0]
    if row.state != "active" or not roles:
        return str(row.state)
    if not actor.is_operator:
        try:
            _refuse_last(connection, row, roles & {Role.SECURITY_ADMIN})
        except AccountRefused:
            raise AccountRefused(
                Wording(
                    "这是唯一的安全管理员，办理后没有人能为其解锁。请先另设一位安全管理员，"
                    "或由运维人员在本机办理（servtrade users reset、unlock）。",
                    "This is the only security administrator: nobody could release the account. Appoint another one "
                    "first, or have it done on the machine itself (servtrade users reset, then unlock).",
                )
            ) from None
    return "reset"


# -- what was typed ----------------------------------------------------------------------------------------------


def _checked_login(login: str) -> str:
    plain = normal_login(login)
    if _LOGIN.fullmatch(plain) is None or len(login.strip()) > 64:
        raise AccountRefused(
            Wording(
                f"登录名“{plain}”不能用：2 至 64 个字符，用小写字母、数字、汉字，以及 . _ @ -，首字不用符号。",
                f"“{plain}” cannot be a login: 2 to 64 small letters, digits, Chinese characters or . _ @ -, the first "
                "of them no sign.",
            )
        )
    return plain


def _checked_name(name: str) -> str:
    plain = " ".join(storable_text(name).split())
    if not plain or len(plain) > _MAX_NAME_LENGTH:
        raise AccountRefused(
            Wording(
                f"请填写姓名（最多 {_MAX_NAME_LENGTH} 个字），每人一个账号，不共用。",
                f"Give the person's name (at most {_MAX_NAME_LENGTH} characters): one account a person, never shared.",
            )
        )
    return plain


def _checked_identity(identity: str | None) -> str | None:
    plain = storable_text(identity or "").strip()
    if len(plain) > _MAX_IDENTITY_LENGTH:
        raise AccountRefused(
            Wording(
                f"统一身份认证的用户标识过长（最多 {_MAX_IDENTITY_LENGTH} 个字符）。",
                f"The identity is too long (at most {_MAX_IDENTITY_LENGTH} characters).",
            )
        )
    return plain or None


def _checked_reason(reason: str) -> str:
    plain = storable_text(reason).strip()
    if len(plain) < _MIN_REASON_LENGTH:
        raise AccountRefused(
            Wording(
                f"请写明理由（不少于 {_MIN_REASON_LENGTH} 个字），会记入审计日志。",
                f"Give a reason of at least {_MIN_REASON_LENGTH} characters; it goes into the audit log.",
            )
        )
    return plain


def _checked_scope(
    role: Role, enterprise_codes: Iterable[str], district_codes: Iterable[str]
) -> tuple[frozenset[str], frozenset[str]]:
    from pipelines.codes import district_code_of

    enterprises = frozenset(code.strip().upper() for code in enterprise_codes if code.strip())
    districts = frozenset(code.strip() for code in district_codes if code.strip())
    if bool(enterprises) != (role is Role.REPORTER):
        raise AccountRefused(
            Wording(
                "企业填报员必须写明企业代码；其他角色不写。",
                "A reporter needs the codes of the enterprises spoken for; other roles take none.",
            )
        )
    if bool(districts) != (role is Role.DISTRICT_REVIEWER):
        raise AccountRefused(
            Wording(
                "区级审核员必须写明所在区；其他角色不写。",
                "A district reviewer needs the districts answered for; other roles take none.",
            )
        )
    found = {text: district_code_of(text) for text in districts}
    unknown = sorted(text for text, code in found.items() if code is None)
    if unknown:
        raise AccountRefused(
            Wording(
                f"没有这个区：{'、'.join(unknown)}。区代码见 sql/reference/districts.csv。",
                f"There is no such district: {', '.join(unknown)}. See sql/reference/districts.csv.",
            )
        )
    return enterprises, frozenset(code for code in found.values() if code is not None)


def _refuse_unknown_enterprises(connection: Connection, codes: frozenset[str]) -> None:
    known = connection.execute(
        select(t.enterprise.c.enterprise_code).where(t.enterprise.c.enterprise_code.in_(sorted(codes)))
    ).scalars()
    unknown = sorted(codes - set(known))
    if unknown:
        raise AccountRefused(
            Wording(
                f"名录中没有这家企业：{'、'.join(unknown)}。请核对统一社会信用代码，或先导入名录。",
                f"The register does not have: {', '.join(unknown)}. Check the code, or import the register first.",
            )
        )


def _refuse_taken(connection: Connection, login: str | None, identity: str | None) -> None:
    if (
        login is not None
        and connection.execute(select(t.account.c.account_id).where(t.account.c.login == login)).first()
    ):
        raise _login_taken(login)
    if (
        identity is not None
        and connection.execute(
            select(t.account.c.account_id).where(t.account.c.oidc_identity == identity)
        ).first()
    ):
        raise AccountRefused(
            Wording(
                "这个统一身份认证用户已对应另一个账号。", "That identity belongs to another account already."
            )
        )


def _login_taken(login: str) -> AccountRefused:
    return AccountRefused(
        Wording(
            f"登录名 {login} 已有人用。请另取一个。", f"The login {login} is taken. Please choose another."
        )
    )


# -- rows --------------------------------------------------------------------------------------------------------


def _with_passwords() -> list[tuple[tuple[str, str, Role], str]]:
    return [(facts, new_one_time_password()) for facts in FIRST_ADMINISTRATORS]


def _row(connection: Connection, login: str) -> Row[Any]:
    row = connection.execute(select(t.account).where(t.account.c.login == normal_login(login))).one_or_none()
    if row is None:
        raise UnknownAccount(
            Wording(
                f"没有登录名为 {normal_login(login)} 的账号。", f"There is no account {normal_login(login)}."
            )
        )
    return row


def _account(connection: Connection, row: Row[Any]) -> Account:
    return _account_of(row, *roles_and_scope(connection, row.account_id))


def _account_of(
    row: Row[Any], roles: frozenset[Role], enterprise_codes: frozenset[str], district_codes: frozenset[str]
) -> Account:
    return Account(
        account_id=row.account_id,
        login=row.login,
        display_name=row.display_name,
        state=row.state,
        roles=roles,
        enterprise_codes=enterprise_codes,
        district_codes=district_codes,
        is_password_one_time=row.is_password_one_time,
        password_set_at=row.password_set_at,
        has_second_factor=row.totp_confirmed_at is not None,
        oidc_identity=row.oidc_identity,
        created_at=row.created_at,
        created_by=row.created_by,
        signed_in_at=row.signed_in_at,
    )


def _rights(account: Account) -> dict[str, Any]:
    return {
        "roles": account.roles,
        "enterprise_codes": account.enterprise_codes,
        "district_codes": account.district_codes,
    }


def _set_scope(connection: Connection, account_id: int, kind: str, codes: frozenset[str]) -> None:
    column = t.account_scope.c
    connection.execute(
        delete(t.account_scope).where(column.account_id == account_id, column.scope_kind == kind)
    )
    if codes:
        connection.execute(
            insert(t.account_scope),
            [{"account_id": account_id, "scope_kind": kind, "code": code} for code in sorted(codes)],
        )


def _set_state(connection: Connection, row: Row[Any], state: str) -> None:
    connection.execute(update(t.account).where(t.account.c.account_id == row.account_id).values(state=state))


def _forget_failures_of(connection: Connection, account_id: int) -> int:
    return connection.execute(
        delete(t.sign_in_failure).where(t.sign_in_failure.c.account_id == account_id)
    ).rowcount
