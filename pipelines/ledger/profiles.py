"""Which rules for passwords and second factors a bureau follows. What enforces them is in `passwords` and `sign_in`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What guessing one password costs (argon2id); no setting makes it less.

    OWASP's advice (46 MiB, one pass) and a second pass: 70 ms on a core of a small server.
    """

    memory_kib: int = 47_104
    passes: int = 2


@dataclass(frozen=True, slots=True)
class SecurityProfile:
    """One set of rules (SERVTRADE_SECURITY_PROFILE).

    asvs     OWASP ASVS 5.0: length and a list of weak passwords, no composition rules, no forced change
    dengbao  GB/T 22239: besides, three of four kinds of characters, a change every 90 days, none of the last five

    history_count      earlier passwords, the present one included, that may not be chosen again
    second_factor_for  none, administrators or everyone: who must use a second factor (SERVTRADE_SECOND_FACTOR)
    password_cost      how passwords are hashed
    """

    name: str
    min_length: int = 12
    min_kinds: int = 1
    max_age: timedelta | None = None
    history_count: int = 1
    second_factor_for: str = "administrators"
    password_cost: PasswordCost = PasswordCost()


PROFILES = {
    "asvs": SecurityProfile("asvs"),
    "dengbao": SecurityProfile("dengbao", min_kinds=3, max_age=timedelta(days=90), history_count=5),
}


def profile_of(name: str, second_factor_for: str) -> SecurityProfile:
    """The profile of this name, with who must use a second factor. Raises KeyError for an unknown name."""
    return replace(PROFILES[name], second_factor_for=second_factor_for)
