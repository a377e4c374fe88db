"""People for the tests of accounts: administrators in office, a clerk and a reporter who have chosen passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines.ledger import Ledger, RegisterRow
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.sign_in import Outcome

OPERATOR = Actor.operator("root")
ENTERPRISE = "91120116MA05D0WX9H"
OTHER_ENTERPRISE = "91120116MA06D0WX2C"
HOME = "10.1.1.7"  # where people usually sit
ELSEWHERE = "10.9.9.9"


@dataclass
class Office:
    """A bureau's accounts, with what each person would know by heart."""

    ledger: Ledger
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def accounts(self):  # type: ignore[no-untyped-def]
        return self.ledger.accounts

    def open(self) -> Office:
        """Make the three administrators; they have chosen passwords of their own."""
        self.ledger.import_register([RegisterRow(ENTERPRISE, "甲公司", "420102")])
        for made in self.accounts.init_administrators(OPERATOR):
            self._choose(made.account.login, made.one_time_password)
        return self

    def hire(self, login: str, *roles: Role, enterprise: str = ENTERPRISE, district: str = "江岸区") -> str:
        """An account with these roles whose holder has chosen a password; gives the password."""
        made = self.accounts.create(self.actor("sysadmin"), login, f"{login} 先生")
        for role in roles:
            self.accounts.grant(
                self.actor("secadmin"),
                login,
                role,
                enterprise_codes=[enterprise] if role is Role.REPORTER else [],
                district_codes=[district] if role is Role.DISTRICT_REVIEWER else [],
            )
        return self._choose(made.account.login, made.one_time_password)

    def _choose(self, login: str, one_time_password: str) -> str:
        token = self.token(login, one_time_password)
        chosen = f"kettle {login[::-1]} walnut Orbit 7"
        self.accounts.sign_out(self.accounts.change_password(token, one_time_password, chosen, HOME))
        self.passwords[login] = chosen
        return chosen

    def token(self, login: str, password: str | None = None, address: str = HOME) -> str:
        """Sign somebody in who has no second factor; gives the session's token."""
        answer = self.accounts.sign_in(login, password or self.passwords[login], address)
        assert answer.outcome is Outcome.SIGNED_IN
        assert answer.session_token
        return answer.session_token

    def actor(self, login: str) -> Actor:
        """Somebody as a session would give them, without signing in."""
        account = self.accounts.get(login, OPERATOR)
        return Actor(
            account.login,
            account.roles,
            account.enterprise_codes,
            account.district_codes,
            account_id=account.account_id,
            address=HOME,
        )

    def told(self, action: str) -> list[tuple[str, str, object]]:
        """Entries of the log with this action: who, about whom, what is new."""
        from pipelines.ledger.audit import AuditFilter

        page = self.ledger.audit.entries(AuditFilter(action=action), reader=OPERATOR, page_size=500)
        return [(entry.actor, entry.object_id, entry.new) for entry in reversed(page.entries)]


def noon() -> datetime:
    """A working day to travel to."""
    return datetime(2026, 5, 6, 4, 0, tzinfo=UTC)
