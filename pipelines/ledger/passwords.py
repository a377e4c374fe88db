"""Passwords: which may be chosen, how they are kept, and one-time ones that somebody else hands over.

Kept as argon2id hashes only. Whose password it is and when it must change is in `sign_in` and `accounts`.
"""

from __future__ import annotations

import math
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipelines.findings import Wording
from pipelines.ledger.profiles import PasswordCost, SecurityProfile

WEAK_WORDS_DIR = Path(__file__).parent / "weak_passwords"
MAX_LENGTH = 128
# Letters and digits that nobody takes for another when reading them from paper.
_ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_ONE_TIME_GROUPS, _ONE_TIME_GROUP_LENGTH = 4, 4
ONE_TIME_VALID = timedelta(days=7)

_FULL_COST = PasswordCost()
# Two at a time, so that fifty people who sign in together take 92 MiB and not 2 GiB.
_AT_ONCE = threading.BoundedSemaphore(2)


class PasswordRefused(ValueError):
    """A password may not be chosen; the wording says why and what to do."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


@cache
def _hasher(cost: PasswordCost) -> PasswordHasher:
    return PasswordHasher(
        time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1, hash_len=32, salt_len=16
    )


def hash_password(password: str, cost: PasswordCost = _FULL_COST) -> str:
    """The argon2id hash to keep, with its parameters and a salt of its own."""
    with _AT_ONCE:
        return _hasher(cost).hash(_normal(password))


def is_password(password: str, password_hash: str, cost: PasswordCost = _FULL_COST) -> bool:
    """Whether this is the password; takes as long for an account without one as for any other."""
    is_real = bool(password_hash)
    with _AT_ONCE:
        try:
            _hasher(cost).verify(password_hash if is_real else _nobodys_hash(cost), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return is_real


def needs_rehash(password_hash: str, cost: PasswordCost = _FULL_COST) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher(cost).check_needs_rehash(password_hash)


@cache
def _nobodys_hash(cost: PasswordCost) -> str:
    # Not through hash_password: the caller holds the semaphore already.
    return _hasher(cost).hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    """One spelling of what looks the same, so that another keyboard or input method opens the same account.

    Half a surrogate pair, which no keyboard makes, becomes a mark: no input of any kind may end in a fault.
    """
    whole = password.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFKC", whole)


def new_one_time_password() -> str:
    """A password to be handed over and used once: 16 letters and digits in groups, 79 bits."""
    return "-".join(
        "".join(secrets.choice(_ONE_TIME_ALPHABET) for _ in range(_ONE_TIME_GROUP_LENGTH))
        for _ in range(_ONE_TIME_GROUPS)
    )


def check_choice(password: str, profile: SecurityProfile, *, own_words: Iterable[str] = ()) -> None:
    """Raise PasswordRefused unless this may be chosen as a password.

    `own_words` are what others know of the person: login, name, enterprise codes.
    """
    text = _normal(password)
    if len(text) < profile.min_length:
        raise PasswordRefused(
            Wording(
                f"密码太短：至少 {profile.min_length} 个字符，现在是 {len(text)} 个。可以用几个不相干的词连成一句。",
                f"The password is too short: at least {profile.min_length} characters, given {len(text)}. "
                "A few unrelated words make a good one.",
            )
        )
    if len(text) > MAX_LENGTH:
        raise PasswordRefused(
            Wording(
                f"密码太长：最多 {MAX_LENGTH} 个字符。",
                f"The password is too long: at most {MAX_LENGTH} characters.",
            )
        )
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in text):
        raise PasswordRefused(
            Wording(
                "密码中有看不见的控制字符。请重新输入。",
                "The password holds characters that cannot be seen. Please type it again.",
            )
        )
    plain = text.casefold()
    for word in own_words:
        own = _normal(word).casefold().strip()
        if own and (own == plain or (len(own) >= 4 and own in plain)):
            raise PasswordRefused(
                Wording(
                    "密码中不能有登录名、姓名或企业代码。请另选一个。",
                    "The password must not hold your login, your name or an enterprise code. Please choose another.",
                )
            )
    if is_weak(text):
        raise PasswordRefused(
            Wording(
                "这个密码很容易被猜到（常用密码、拼音、单位或地名加数字）。请另选一个，例如几个不相干的词。",
                "This password is easy to guess (a common one, or a well-known word with digits). Please choose "
                "another, for example a few unrelated words.",
            )
        )
    kinds = sum(
        any(test(character) for character in text)
        for test in (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
    )
    # Chinese characters are of neither case; they count as a kind of their own.
    kinds += any("\u4e00" <= character <= "\u9fff" for character in text)
    if kinds < profile.min_kinds:
        raise PasswordRefused(
            Wording(
                f"按等保要求，密码应含小写字母、大写字母、数字、符号中的至少 {profile.min_kinds} 种，现在是 {kinds} 种。",
                f"The bureau's rules ask for at least {profile.min_kinds} of small letters, capitals, digits and signs; "
                f"given {kinds}.",
            )
        )


# -- weak passwords ------------------------------------------------------------------------------------------

_MAX_WEAK_WORDS = 2
_MIN_WORD_LENGTH = 1  # a Chinese word may be a single character; the others have three and more
_MIN_RUN_LENGTH = 3
_LOOKS_LIKE = str.maketrans(
    {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")


def is_weak(password: str) -> bool:
    """Whether nothing of it is more than at most two well-known words, digits, signs, repetitions, keyboard runs."""
    plain = _normal(password).casefold()
    spellings = {plain, plain.translate(_LOOKS_LIKE), plain.translate({**_LOOKS_LIKE, ord("1"): "i"})}
    return any(_words_needed(spelling, plain) <= _MAX_WEAK_WORDS for spelling in spellings)


def _words_needed(spelling: str, plain: str) -> float:
    """How many well-known words it takes to make up the text; infinite where something else is in it."""
    words, longest = _weak_words()
    needed = [0.0] + [math.inf] * len(spelling)
    for end in range(1, len(spelling) + 1):
        last = plain[end - 1]
        if not last.isalpha():  # a digit or a sign adds nothing that is not tried first
            needed[end] = needed[end - 1]
        for length in range(_MIN_WORD_LENGTH, min(end, longest) + 1):
            start = end - length
            if needed[start] + 1 < needed[end] and spelling[start:end] in words:
                needed[end] = needed[start] + 1
            if length >= _MIN_RUN_LENGTH and needed[start] < needed[end] and _is_run(plain[start:end]):
                needed[end] = needed[start]
    return needed[-1]


def _is_run(text: str) -> bool:
    """One character again and again, or neighbours on a keyboard or in the alphabet, in either direction."""
    if len(set(text)) == 1:
        return True
    return any(text in row or text in row[::-1] for row in _ROWS)


@cache
def _weak_words() -> tuple[frozenset[str], int]:
    found = set()
    for name in ("common.txt", "local.txt"):
        for line in (WEAK_WORDS_DIR / name).read_text(encoding="utf-8").splitlines():
            word = line.strip().casefold()
            if word and not word.startswith("#"):
                found.add(word)
                # A word whose digits only pad it is in the list once for all its paddings.
                bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", word)
                if len(bare) >= 4:
                    found.add(bare)
    return frozenset(word for word in found if len(word) >= _MIN_WORD_LENGTH), max(map(len, found))
