"""Signing in: password, second factor, throttling, sessions; and what people do with their own account.

What administrators do with the accounts of others is in `accounts`. Every way in and every refusal is in the audit
log; typed passwords, codes and tokens never are.
"""

from __future__ import annotations

import ipaddress
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from pipelines.findings import Wording
from pipelines.ledger import audit, second_factor
from pipelines.ledger import tables as t
from pipelines.ledger.actors import ADMINISTRATORS, Actor, Role
from pipelines.ledger.engine import reading, writing
from pipelines.ledger.keys import keys_of
from pipelines.ledger.passwords import (
    ONE_TIME_VALID,
    PasswordRefused,
    check_choice,
    hash_password,
    is_password,
    needs_rehash,
)
from pipelines.ledger.profiles import SecurityProfile
from pipelines.records import storable_text

IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=8)
CODE_LIMIT = timedelta(minutes=5)  # between password and code
THROTTLE_WINDOW = timedelta(minutes=15)
FAILURES_AN_ACCOUNT = 5  # from one network
# An enterprise or a district often shows one address for everybody in it: five slips of five people must not lock
# out a floor. Twenty in a quarter of an hour still leave a guesser with nothing.
FAILURES_AN_ADDRESS = 20
_TOUCH_EVERY = timedelta(minutes=1)
_CLOCK_TOLERANCE = timedelta(minutes=2)
_FORGET_FAILURES_AFTER = timedelta(days=1)
_FORGET_SESSIONS_AFTER = timedelta(days=190)  # logs are kept six months; the sessions they speak of as well
_MAX_LOGIN_LENGTH = 64
_MAX_TYPED_LENGTH = 1_000
_MAX_BROWSER_LENGTH = 200


class Outcome(StrEnum):
    """What came of an attempt to sign in."""

    SIGNED_IN = "signed_in"
    CODE_NEEDED = "code_needed"  # the password is right; the token is good for `sign_in_code` only
    REFUSED = "refused"  # whatever the reason: nobody learns whether the account exists
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The answer to an attempt. `session_token` goes into the cookie; `retry_after` says when to try again."""

    outcome: Outcome
    session_token: str | None = None
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, with the roles as they are now.

    Until `must_change_password` and `must_enrol_second_factor` are met, no other page is open.
    """

    session_id: str
    actor: Actor
    display_name: str
    language: str
    must_change_password: bool
    must_enrol_second_factor: bool
    has_second_factor: bool
    method: str
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it in the list; opens nothing."""

    session_id: str
    started_at: datetime
    last_seen_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs to take on the second factor: as a picture, as an address, and to be typed."""

    secret: str
    address: str
    picture_svg: str


class NotSignedIn(RuntimeError):
    """The session has ended meanwhile."""


class CodeRefused(ValueError):
    """The six digits are not right; the wording says what to do."""

    def __init__(self) -> None:
        self.wording = Wording(
            "验证码不对或已用过。请核对手机时间，等下一个验证码出现后重新输入。",
            "The code is wrong or has been used. Check the telephone's clock, wait for the next code and enter that.",
        )
        super().__init__(f"{self.wording.zh} / {self.wording.en}")


def normal_login(login: str) -> str:
    """A login as it is kept and looked for: without blanks around, one spelling, small letters."""
    return storable_text(unicodedata.normalize("NFKC", storable_text(login)).strip().casefold())[
        :_MAX_LOGIN_LENGTH
    ]


def network_of(address: str) -> str:
    """The neighbourhood of an address: /24, or /64 of IPv6; what is no address stands for itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return storable_text(address)[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, ipaddress.IPv6Address):  # by number: a zone (fe80::1%eth0) is no part of a network
        return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
    return str(ipaddress.IPv4Network((int(parsed), 24), strict=False))


def source_of(address: str) -> str:
    """What counts as one address: an IPv4 address, and of IPv6 the /64, of which anybody has all to himself."""
    network = network_of(address)
    if ":" in network:
        return network
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return network
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


@dataclass(slots=True)
class _Attempt:
    """An attempt that is under way: whose, from where, and where its failures are counted."""

    login: str
    address: str
    account: Row[Any] | None
    now: datetime

    @property
    def actor(self) -> Actor:
        """Who it says it is. A login that nobody has is not written down: people type passwords there."""
        if self.account is None:
            return Actor("", address=self.address)
        return Actor(self.account.login, account_id=self.account.account_id, address=self.address)

    @property
    def account_id(self) -> int | None:
        return None if self.account is None else self.account.account_id

    @property
    def account_key(self) -> str:
        return _throttle_key("account", self.login, network_of(self.address))

    @property
    def address_key(self) -> str:
        return _throttle_key("address", source_of(self.address))


class SignIns:
    """The way into one ledger, and what people do with their own account."""

    def __init__(self, engine: Engine, profile: SecurityProfile) -> None:
        self._engine = engine
        self.profile = profile

    # -- in ----------------------------------------------------------------------------------------------------

    def sign_in(
        self, login: str, password: str, address: str, *, totp: str | None = None, browser: str = ""
    ) -> SignIn:
        """Try to sign in with login and password, and with the six digits where they are given at once.

        After five failures for one account from one network, or twenty from one address, no attempt is looked at
        for 15 minutes; others from elsewhere are not held up. A wrong login takes as long as a wrong password.
        """
        attempt = _Attempt(normal_login(login), storable_text(address), None, datetime.now(UTC))
        wait = self._begin(attempt)
        if wait is not None:
            return SignIn(Outcome.THROTTLED, retry_after=wait)
        account = attempt.account
        # Outside of any transaction: this takes a while, on purpose, and must hold up nobody who files.
        cost = self.profile.password_cost
        is_right = is_password(password[:_MAX_TYPED_LENGTH], account.password_hash if account else "", cost)
        if account is None or not is_right or len(password) > _MAX_TYPED_LENGTH:
            return self._failed(attempt, "password")
        rehashed = hash_password(password, cost) if needs_rehash(account.password_hash, cost) else None
        with writing(self._engine) as connection:
            audit.hold(connection)
            current = _account_by_id(connection, account.account_id)
            if current.password_hash != account.password_hash or not self._may_come_in(current, attempt.now):
                why = "state" if current.state != "active" else "password_expired"
                return self._failed_in(connection, attempt, why)
            if rehashed is not None:
                connection.execute(
                    update(t.account)
                    .where(t.account.c.account_id == current.account_id)
                    .values(password_hash=rehashed)
                )
            _forget_failures(connection, attempt.account_key)
            if current.totp_confirmed_at is None:
                return self._admit(connection, current, attempt, "password", browser)
            if totp is None:
                token = _start_session(
                    connection, current, attempt.address, "password", browser, attempt.now, is_complete=False
                )
                return SignIn(Outcome.CODE_NEEDED, token)
            return self._take_code(connection, current, attempt, totp, browser)

    def sign_in_code(self, token: str, code: str, address: str, *, browser: str = "") -> SignIn:
        """The second step: the six digits, for the token that the first step gave. Gives a new token."""
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _session_row(connection, token, "code_awaited")
            if row is None or not row.started_at - _CLOCK_TOLERANCE <= now < row.expires_at:
                return SignIn(Outcome.REFUSED)
            account = _account_by_id(connection, row.account_id)
            attempt = _Attempt(account.login, storable_text(address), account, now)
            if not self._may_come_in(account, now) or account.totp_confirmed_at is None:
                return self._failed_in(connection, attempt, "state")
            answer = self._take_code(connection, account, attempt, code, browser)
            if (
                answer.outcome is Outcome.SIGNED_IN
            ):  # a wrong code may be corrected, and who must wait may come again
                _end_sessions(connection, [row.session_id], "code_given", now)
            return answer

    def awaits_code(self, token: str) -> bool:
        """Whether this token is good for `sign_in_code`."""
        now = datetime.now(UTC)
        with reading(self._engine) as connection:
            row = _session_row(connection, token, "code_awaited")
        return row is not None and row.started_at - _CLOCK_TOLERANCE <= now < row.expires_at

    def sign_in_by_identity(self, identity: str, address: str, *, browser: str = "") -> SignIn:
        """Let in whom the city's identity provider vouches for, where an account is linked to that identity."""
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = connection.execute(
                select(t.account).where(t.account.c.oidc_identity == storable_text(identity))
            ).one_or_none()
            attempt = _Attempt("", storable_text(address), row, datetime.now(UTC))
            if row is None or row.state != "active":
                return self._failed_in(connection, attempt, "identity")
            return self._admit(connection, row, attempt, "oidc", browser)

    def _begin(self, attempt: _Attempt) -> timedelta | None:
        """Find the account and count the attempt as failed until it succeeds; or say how long to wait.

        Counting before looking is what keeps many attempts at once from being more than five.
        """
        with writing(self._engine) as connection:
            audit.hold(connection)
            wait = _throttled(connection, attempt.address_key, FAILURES_AN_ADDRESS, attempt.now)
            wait = wait or _throttled(connection, attempt.account_key, FAILURES_AN_ACCOUNT, attempt.now)
            if wait is not None:
                return wait
            attempt.account = connection.execute(
                select(t.account).where(t.account.c.login == attempt.login)
            ).one_or_none()
            _count_failure(
                connection,
                attempt.account_key,
                FAILURES_AN_ACCOUNT,
                attempt.now,
                account_id=attempt.account_id,
                address=network_of(attempt.address),
            )
        return None

    def _failed(self, attempt: _Attempt, why: str) -> SignIn:
        with writing(self._engine) as connection:
            audit.hold(connection)
            return self._failed_in(connection, attempt, why)

    @staticmethod
    def _failed_in(connection: Connection, attempt: _Attempt, why: str) -> SignIn:
        _count_failure(
            connection,
            attempt.address_key,
            FAILURES_AN_ADDRESS,
            attempt.now,
            account_id=None,
            address=source_of(attempt.address),
        )
        object_id = attempt.account.login if attempt.account is not None else ""
        entries = [audit.NewEntry("sign_in.failed", "account", object_id, new={"why": why})]
        for key, most, scope in (
            (attempt.account_key, FAILURES_AN_ACCOUNT, "account"),
            (attempt.address_key, FAILURES_AN_ADDRESS, "address"),
        ):
            if _throttled(connection, key, most, attempt.now) is not None:
                entries.append(
                    audit.NewEntry("sign_in.throttled", "account", object_id, new={"scope": scope})
                )
        audit.append_many(connection, attempt.actor, entries)
        return SignIn(Outcome.REFUSED)

    def _take_code(
        self, connection: Connection, account: Row[Any], attempt: _Attempt, code: str, browser: str
    ) -> SignIn:
        # Whoever is here knows the password, so failures count for the account wherever they come from.
        key = _throttle_key("code", str(account.account_id))
        wait = _throttled(connection, key, FAILURES_AN_ACCOUNT, attempt.now)
        if wait is not None:
            return SignIn(Outcome.THROTTLED, retry_after=wait)
        if not _use_code(connection, account, code, attempt.now):
            _count_failure(
                connection,
                key,
                FAILURES_AN_ACCOUNT,
                attempt.now,
                account_id=account.account_id,
                address=attempt.address,
            )
            return self._failed_in(connection, attempt, "code")
        _forget_failures(connection, key)
        return self._admit(connection, account, attempt, "password+code", browser)

    @staticmethod
    def _may_come_in(account: Row[Any], now: datetime) -> bool:
        if account.state != "active":
            return False
        return not account.is_password_one_time or now < account.password_set_at + ONE_TIME_VALID

    @staticmethod
    def _admit(
        connection: Connection, account: Row[Any], attempt: _Attempt, method: str, browser: str
    ) -> SignIn:
        _tidy_up(connection, attempt.now)
        token = _start_session(
            connection, account, attempt.address, method, browser, attempt.now, is_complete=True
        )
        connection.execute(
            update(t.account)
            .where(t.account.c.account_id == account.account_id)
            .values(signed_in_at=attempt.now)
        )
        audit.append(
            connection, attempt.actor, "session.started", "account", account.login, new={"method": method}
        )
        return SignIn(Outcome.SIGNED_IN, token)

    # -- sessions ----------------------------------------------------------------------------------------------

    def session(self, token: str, address: str) -> Session | None:
        """Who holds this token, with the roles of now; None when it has ended. Counts as a sign of life.

        A session ends after 30 minutes without a request and after 8 hours in any case; when the account is
        locked, its password reset or its roles changed; and when the clock is set back before its last request.
        """
        now = datetime.now(UTC)
        with reading(self._engine) as connection:
            row = _session_row(connection, token, "complete")
            if row is None or not _is_alive(row, now):
                return None
            account = _account_by_id(connection, row.account_id)
            if account.state != "active":
                return None
            found = self._session_of(connection, row, account, storable_text(address), now)
        if now - row.last_seen_at >= _TOUCH_EVERY:
            with writing(self._engine) as connection:
                connection.execute(
                    update(t.account_session)
                    .where(
                        t.account_session.c.session_id == row.session_id,
                        t.account_session.c.ended_at.is_(None),
                    )
                    .values(last_seen_at=now)
                )
        return found

    def _session_of(
        self, connection: Connection, row: Row[Any], account: Row[Any], address: str, now: datetime
    ) -> Session:
        roles, enterprise_codes, district_codes = roles_and_scope(connection, account.account_id)
        by_password = row.method != "oidc"
        max_age = self.profile.max_age
        is_old = max_age is not None and now >= account.password_set_at + max_age
        has_second_factor = account.totp_confirmed_at is not None
        return Session(
            session_id=row.session_id,
            actor=Actor(
                account.login,
                roles,
                enterprise_codes,
                district_codes,
                account_id=account.account_id,
                address=address,
            ),
            display_name=account.display_name,
            language=account.language,
            must_change_password=by_password and (account.is_password_one_time or is_old),
            must_enrol_second_factor=by_password
            and not has_second_factor
            and self._asks_second_factor(roles),
            has_second_factor=has_second_factor,
            method=row.method,
            started_at=row.started_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
        )

    def _asks_second_factor(self, roles: frozenset[Role]) -> bool:
        if self.profile.second_factor_for == "everyone":
            return bool(roles)
        return self.profile.second_factor_for == "administrators" and not roles.isdisjoint(ADMINISTRATORS)

    def sign_out(self, token: str, address: str = "") -> None:
        """End the session of this token; one that has ended stays ended."""
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _session_row(connection, token, None)
            if row is None:
                return
            _end_sessions(connection, [row.session_id], "signed_out", now)
            if row.stage == "complete":
                account = _account_by_id(connection, row.account_id)
                actor = Actor(account.login, account_id=account.account_id, address=storable_text(address))
                audit.append(
                    connection, actor, "session.ended", "account", account.login, new={"why": "signed_out"}
                )

    def sessions_of(self, account_id: int) -> list[OpenSession]:
        """The sessions of an account that are open now, newest first."""
        now = datetime.now(UTC)
        column = t.account_session.c
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(t.account_session)
                .where(column.account_id == account_id, column.stage == "complete", column.ended_at.is_(None))
                .order_by(column.started_at.desc(), column.session_id)
            ).all()
        return [
            OpenSession(row.session_id, row.started_at, row.last_seen_at, row.address, row.browser)
            for row in rows
            if _is_alive(row, now)
        ]

    def end_session(self, session_id: str, actor: Actor) -> bool:
        """End one of the actor's own sessions; false where it is none of theirs or has ended."""
        now = datetime.now(UTC)
        column = t.account_session.c
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = connection.execute(
                select(t.account_session).where(
                    column.session_id == storable_text(session_id),
                    column.account_id == actor.account_id,
                    column.ended_at.is_(None),
                )
            ).one_or_none()
            if row is None:
                return False
            _end_sessions(connection, [session_id], "ended_by_owner", now)
            audit.append(
                connection, actor, "session.ended", "account", actor.name, new={"why": "ended_by_owner"}
            )
        return True

    # -- one's own account -------------------------------------------------------------------------------------

    def change_password(self, token: str, present: str, chosen: str, address: str) -> str:
        """Choose a new password; gives the session's new token. Other sessions of the account end.

        Raises PasswordRefused when the present one is wrong (counted like a failed sign-in) or the chosen one may
        not be chosen; NotSignedIn when the session has ended.
        """
        session, attempt, account = self._holder(token, present, address)
        with reading(self._engine) as connection:
            earlier = _earlier_hashes(connection, account, self.profile.history_count)
        own_words = [
            session.actor.name,
            session.display_name,
            *session.actor.enterprise_codes,
        ]
        check_choice(chosen, self.profile, own_words=own_words)
        if any(is_password(chosen, one, self.profile.password_cost) for one in earlier):
            raise PasswordRefused(
                Wording(
                    "不能再用用过的密码。请另选一个。",
                    "This password has been used before. Please choose another.",
                )
            )
        chosen_hash = hash_password(chosen, self.profile.password_cost)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _session_row(connection, token, "complete")
            current = _account_by_id(connection, account.account_id)
            if row is None or current.state != "active" or current.password_hash != account.password_hash:
                raise NotSignedIn
            set_password(connection, current, chosen_hash, is_one_time=False, now=attempt.now)
            new_token = _renew(connection, row, attempt.now, "password_changed")
            audit.append(connection, session.actor, "account.password_changed", "account", current.login)
        return new_token

    def _holder(self, token: str, present: str, address: str) -> tuple[Session, _Attempt, Row[Any]]:
        """Whose session this is, once they have given their present password again: a stolen session does not.

        Raises PasswordRefused when it is wrong (counted like a failed sign-in), NotSignedIn when the session is over.
        """
        session = self.session(token, address)
        if session is None or session.actor.account_id is None:
            raise NotSignedIn
        attempt = _Attempt(session.actor.name, storable_text(address), None, datetime.now(UTC))
        if (wait := self._begin(attempt)) is not None:
            raise PasswordRefused(_too_many(wait))
        account = attempt.account
        cost = self.profile.password_cost
        if account is None or not is_password(present[:_MAX_TYPED_LENGTH], account.password_hash, cost):
            self._failed(attempt, "present_password")
            raise PasswordRefused(
                Wording("现用密码不对。请重新输入。", "The present password is wrong. Please enter it again.")
            )
        with writing(self._engine) as connection:
            _forget_failures(connection, attempt.account_key)
        return session, attempt, account

    def set_language(self, actor: Actor, language: str) -> None:
        """Remember in which language somebody wants the pages. Raises ValueError for another than zh and en."""
        if language not in ("zh", "en"):
            raise ValueError(f"language {language!r}: expected zh or en")
        with writing(self._engine) as connection:
            audit.hold(connection)
            column = t.account.c
            before = connection.execute(
                select(column.language).where(column.account_id == actor.account_id)
            ).scalar()
            if before == language:
                return
            connection.execute(
                update(t.account).where(column.account_id == actor.account_id).values(language=language)
            )
            audit.append(
                connection,
                actor,
                "account.language_set",
                "account",
                actor.name,
                old={"language": before},
                new={"language": language},
            )

    def begin_second_factor(self, token: str, present: str, address: str) -> Enrolment:
        """A new secret for the app; it counts once a code made with it was given to `confirm_second_factor`.

        Raises PasswordRefused for a wrong password, CodeRefused where a second factor is in force already (only the
        security administrator lifts that), NotSignedIn when the session has ended.
        """
        session, _, holder = self._holder(token, present, address)
        secret = second_factor.new_secret()
        with writing(self._engine) as connection:
            audit.hold(connection)
            account = _account_by_id(connection, holder.account_id)
            if account.totp_confirmed_at is not None:
                raise CodeRefused
            sealed = second_factor.seal(secret, account.account_id, keys_of(connection))
            connection.execute(
                update(t.account)
                .where(t.account.c.account_id == account.account_id)
                .values(totp_secret=sealed)
            )
            audit.append(connection, session.actor, "account.second_factor_begun", "account", account.login)
        return _enrolment(secret, account.login)

    def pending_second_factor(self, actor: Actor) -> Enrolment | None:
        """The secret that waits for its first code, or None: not begun, or in force."""
        with reading(self._engine) as connection:
            account = _account_by_id(connection, actor.account_id)
            if not account.totp_secret or account.totp_confirmed_at is not None:
                return None
            secret = second_factor.unseal(account.totp_secret, account.account_id, keys_of(connection))
        return _enrolment(secret, account.login)

    def confirm_second_factor(self, token: str, code: str, address: str) -> str:
        """Put the second factor in force; gives the session's new token. Other sessions of the account end.

        Raises CodeRefused for a wrong code, NotSignedIn when the session has ended.
        """
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            audit.hold(connection)
            row = _session_row(connection, token, "complete")
            if row is None or not _is_alive(row, now):
                raise NotSignedIn
            account = _account_by_id(connection, row.account_id)
            if account.state != "active" or not account.totp_secret or account.totp_confirmed_at is not None:
                raise CodeRefused
            if not _use_code(connection, account, code, now):
                raise CodeRefused
            connection.execute(
                update(t.account)
                .where(t.account.c.account_id == account.account_id)
                .values(totp_confirmed_at=now)
            )
            new_token = _renew(connection, row, now, "second_factor_added")
            actor = Actor(account.login, account_id=account.account_id, address=storable_text(address))
            audit.append(connection, actor, "account.second_factor_added", "account", account.login)
        return new_token


def _enrolment(secret: str, login: str) -> Enrolment:
    address = second_factor.enrolment_address(secret, login)
    return Enrolment(secret, address, second_factor.picture(address))


def _too_many(wait: timedelta) -> Wording:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return Wording(
        f"输错次数过多。请 {minutes} 分钟后再试，或请安全管理员解锁。",
        f"Too many wrong attempts. Try again in {minutes} min, or ask the security administrator to unlock.",
    )


# -- rows --------------------------------------------------------------------------------------------------------


def _account_by_id(connection: Connection, account_id: int | None) -> Row[Any]:
    return connection.execute(select(t.account).where(t.account.c.account_id == account_id)).one()


def roles_and_scope(
    connection: Connection, account_id: int
) -> tuple[frozenset[Role], frozenset[str], frozenset[str]]:
    """Roles, enterprise codes and district codes of an account."""
    roles = connection.execute(
        select(t.account_role.c.role).where(t.account_role.c.account_id == account_id)
    ).scalars()
    found = frozenset(Role(role) for role in roles)
    scope = connection.execute(
        select(t.account_scope).where(t.account_scope.c.account_id == account_id)
    ).all()
    return (
        found,
        frozenset(row.code for row in scope if row.scope_kind == "enterprise"),
        frozenset(row.code for row in scope if row.scope_kind == "district"),
    )


def set_password(
    connection: Connection, account: Row[Any], password_hash: str, *, is_one_time: bool, now: datetime
) -> None:
    """Put another password in force; the earlier one goes into the history, unless it was a one-time one."""
    if account.password_hash and not account.is_password_one_time:
        connection.execute(
            insert(t.password_history).values(
                account_id=account.account_id, password_hash=account.password_hash, replaced_at=now
            )
        )
    connection.execute(
        update(t.account)
        .where(t.account.c.account_id == account.account_id)
        .values(password_hash=password_hash, is_password_one_time=is_one_time, password_set_at=now)
    )


def _earlier_hashes(connection: Connection, account: Row[Any], count: int) -> list[str]:
    """Passwords that may not be chosen again: the present one and those before it, `count` in all."""
    history = t.password_history.c
    earlier: Sequence[str] = (
        connection.execute(
            select(history.password_hash)
            .where(history.account_id == account.account_id)
            .order_by(history.history_id.desc())
            .limit(max(0, count - 1))
        )
        .scalars()
        .all()
    )
    return [account.password_hash, *earlier]


def _use_code(connection: Connection, account: Row[Any], code: str, now: datetime) -> bool:
    """Whether the code is right and new; it is then used up. The caller holds the lock."""
    secret = second_factor.unseal(account.totp_secret, account.account_id, keys_of(connection))
    step = second_factor.step_of(secret, code[:20], now, after_step=account.totp_last_step)
    if step is None:
        return False
    connection.execute(
        update(t.account).where(t.account.c.account_id == account.account_id).values(totp_last_step=step)
    )
    return True


# -- sessions ----------------------------------------------------------------------------------------------------


def _new_token() -> str:
    return secrets.token_urlsafe(32)  # 256 bits


def _token_hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _session_row(connection: Connection, token: str, stage: str | None) -> Row[Any] | None:
    column = t.account_session.c
    row = connection.execute(
        select(t.account_session).where(column.token_sha256 == _token_hash(token), column.ended_at.is_(None))
    ).one_or_none()
    return row if row is not None and stage in (None, row.stage) else None


def _is_alive(row: Row[Any], now: datetime) -> bool:
    # A clock set back would lengthen every session; then people sign in again.
    if now < row.last_seen_at - _CLOCK_TOLERANCE:
        return False
    return bool(now < row.expires_at and now < row.last_seen_at + IDLE_LIMIT)


def _start_session(
    connection: Connection,
    account: Row[Any],
    address: str,
    method: str,
    browser: str,
    now: datetime,
    *,
    is_complete: bool,
) -> str:
    token = _new_token()
    connection.execute(
        insert(t.account_session).values(
            session_id=secrets.token_hex(12),
            token_sha256=_token_hash(token),
            account_id=account.account_id,
            stage="complete" if is_complete else "code_awaited",
            method=method,
            started_at=now,
            last_seen_at=now,
            expires_at=now + (ABSOLUTE_LIMIT if is_complete else CODE_LIMIT),
            address=address,
            browser=storable_text(browser)[:_MAX_BROWSER_LENGTH],
        )
    )
    return token


def _renew(connection: Connection, row: Row[Any], now: datetime, why: str) -> str:
    """Give the session another token and end all others of the account; how long it lasts does not change."""
    column = t.account_session.c
    others = connection.execute(
        select(column.session_id).where(
            column.account_id == row.account_id,
            column.session_id != row.session_id,
            column.ended_at.is_(None),
        )
    ).scalars()
    _end_sessions(connection, list(others), why, now)
    token = _new_token()
    connection.execute(
        update(t.account_session)
        .where(column.session_id == row.session_id)
        .values(token_sha256=_token_hash(token), last_seen_at=now)
    )
    return token


def _end_sessions(connection: Connection, session_ids: Iterable[str], why: str, now: datetime) -> None:
    column = t.account_session.c
    connection.execute(
        update(t.account_session)
        .where(column.session_id.in_(list(session_ids)), column.ended_at.is_(None))
        .values(ended_at=now, ended_why=why)
    )


def end_all_sessions(connection: Connection, account_id: int, why: str, now: datetime) -> None:
    """End every session of an account: its holder, or whoever took the token, must sign in anew."""
    column = t.account_session.c
    connection.execute(
        update(t.account_session)
        .where(column.account_id == account_id, column.ended_at.is_(None))
        .values(ended_at=now, ended_why=why)
    )


def _tidy_up(connection: Connection, now: datetime) -> None:
    """Forget failures and sessions of long ago; the audit log keeps that they were."""
    connection.execute(
        delete(t.sign_in_failure).where(t.sign_in_failure.c.last_failed_at < now - _FORGET_FAILURES_AFTER)
    )
    connection.execute(
        delete(t.account_session).where(t.account_session.c.expires_at < now - _FORGET_SESSIONS_AFTER)
    )


# -- throttling --------------------------------------------------------------------------------------------------


def _throttle_key(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _failures(connection: Connection, key: str, now: datetime) -> list[datetime]:
    row = connection.execute(
        select(t.sign_in_failure.c.failed_at).where(t.sign_in_failure.c.throttle_key == key)
    ).one_or_none()
    moments = [datetime.fromisoformat(text) for text in row.failed_at] if row is not None else []
    # Where the clock was set back, failures lie ahead: they count, unless the clock had been wrong by days.
    return [moment for moment in moments if moment <= now + _FORGET_FAILURES_AFTER]


def _throttled(connection: Connection, key: str, most: int, now: datetime) -> timedelta | None:
    """How long to wait, or None: as many failures as allowed within the window, the last one not long ago."""
    failures = _failures(connection, key, now)[-most:]
    if len(failures) < most or failures[-1] - failures[0] > THROTTLE_WINDOW:
        return None
    wait = failures[-1] + THROTTLE_WINDOW - now
    return wait if wait > timedelta() else None


def _count_failure(
    connection: Connection, key: str, most: int, now: datetime, *, account_id: int | None, address: str
) -> None:
    failures = [*_failures(connection, key, now), now]
    # After a wait the count begins anew: what lies outside the window is left behind.
    failures = [moment for moment in failures if moment > now - THROTTLE_WINDOW][-most:]
    values = {
        "account_id": account_id,
        "address": address,
        "failed_at": [moment.isoformat() for moment in failures],
        "last_failed_at": now,
    }
    column = t.sign_in_failure.c
    found = connection.execute(update(t.sign_in_failure).where(column.throttle_key == key).values(**values))
    if found.rowcount == 0:
        connection.execute(insert(t.sign_in_failure).values(throttle_key=key, **values))


def _forget_failures(connection: Connection, key: str) -> None:
    connection.execute(delete(t.sign_in_failure).where(t.sign_in_failure.c.throttle_key == key))
