"""Who acts: the one shape in which every act on the ledger names its doer, whether by portal, inbox or command line.

What an actor may see and do follows from roles and their scope; the ledger's own functions ask here, so that no
channel can go round it. Accounts, passwords and sessions are in `accounts`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from pipelines.findings import Wording


class Role(StrEnum):
    """What a person is to the bureau. The three administrators hold no other role (三员分立)."""

    REPORTER = "reporter"  # 企业填报员: own enterprise only
    CLERK = "clerk"  # 统计员: all enterprises
    DISTRICT_REVIEWER = "district_reviewer"  # 区级审核员: enterprises of own district
    ANALYST = "analyst"  # 分析员: all enterprises, closes months
    OFFICIAL = "official"  # 领导: aggregates only
    SYSTEM_ADMIN = "system_admin"  # 系统管理员: accounts; neither statistics nor audit
    SECURITY_ADMIN = "security_admin"  # 安全管理员: roles and locks; makes no accounts
    AUDIT_ADMIN = "audit_admin"  # 审计管理员: reads and exports the audit log; changes nothing


ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
# Who sees returns of all enterprises.
BUREAU = frozenset({Role.CLERK, Role.ANALYST})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a machine that acts.

    name              login of the account; `cli:<user of the machine>`; `inbox`
    enterprise_codes  of a reporter: the enterprises spoken for
    district_codes    of a district reviewer: the districts answered for
    is_operator       someone with a shell on the machine: holds every role, and still never approves what the
                      same name filed
    address           where the act came from; empty on the machine itself
    """

    name: str
    roles: frozenset[Role] = frozenset()
    enterprise_codes: frozenset[str] = frozenset()
    district_codes: frozenset[str] = frozenset()
    is_operator: bool = False
    account_id: int | None = None
    address: str = ""

    def has(self, *roles: Role) -> bool:
        """Whether the actor holds any of these roles."""
        return self.is_operator or not self.roles.isdisjoint(roles)

    @property
    def sees_all_enterprises(self) -> bool:
        """Whether returns of every enterprise may be seen."""
        return self.has(*BUREAU)

    def may_see(self, enterprise_code: str, district_code: str) -> bool:
        """Whether returns of this enterprise, registered in this district, may be seen."""
        if self.sees_all_enterprises:
            return True
        if Role.DISTRICT_REVIEWER in self.roles and district_code in self.district_codes:
            return True
        return Role.REPORTER in self.roles and enterprise_code in self.enterprise_codes

    @property
    def may_file_department_tables(self) -> bool:
        """Whether tables of departments (rates, customs, foreign exchange) may be filed: they bear on everybody."""
        return self.has(*BUREAU)

    @property
    def may_file(self) -> bool:
        """Whether returns may be filed at all; for whom is asked of each with `may_see`."""
        return self.has(Role.REPORTER, Role.DISTRICT_REVIEWER, *BUREAU)

    def may_review(self, enterprise_code: str, district_code: str) -> bool:
        """Whether returns of this enterprise may be confirmed or sent back (never by who filed them)."""
        if self.has(Role.CLERK, Role.ANALYST):
            return True
        return Role.DISTRICT_REVIEWER in self.roles and district_code in self.district_codes

    @classmethod
    def operator(cls, user: str, *, by: str = "") -> Actor:
        """Whoever works on the machine itself, named after the user of its operating system.

        `by` is the person for whom that user says to act; both are in the name, since both count as having acted.
        """
        machine = f"cli:{user}"
        return cls(f"{by} ({machine})" if by else machine, is_operator=True, address=machine if by else "")


class NotAllowed(RuntimeError):
    """The actor may not do this; the wording says so, in both languages, without telling what is there."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


def is_same_person(name: str, other: str) -> bool:
    """Whether two names may be one person.

    Nobody passes for two by working once at the machine and once through the portal under the same name, by spelling
    it otherwise, or by giving another name at the same machine's user: then the user is the person.
    """
    return not _persons(name).isdisjoint(_persons(other))


_AT_THE_MACHINE = re.compile(r"(.*)\(cli:([^()]*)\)", re.DOTALL)


def _persons(name: str) -> set[str]:
    """Everybody whom a name stands for: `wang (cli:root)` for wang and for root."""
    plain = unicodedata.normalize("NFKC", name)
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Cc", "Cf"))
    named = _AT_THE_MACHINE.fullmatch(plain.strip())
    parts = named.groups() if named is not None else (plain,)
    bare = ("".join(part.split()).casefold() for part in parts)
    return {re.sub("^(cli:)+", "", one) for one in bare} - {""}
