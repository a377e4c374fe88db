"""Which passwords may be chosen, and how they are kept."""

from __future__ import annotations

import re
import threading
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.ledger import passwords
from pipelines.ledger.passwords import (
    PasswordRefused,
    check_choice,
    hash_password,
    is_password,
    is_weak,
    needs_rehash,
    new_one_time_password,
)
from pipelines.ledger.profiles import PROFILES

ASVS, DENGBAO = PROFILES["asvs"], PROFILES["dengbao"]


@pytest.mark.parametrize(
    "password",
    [
        "Fuwumaoyi2026!!",
        "woaini1314520",
        "shangwuju12345",
        "天津商务局20260506",
        "tongjiju@2026#",
        "liuwei19880812",
        "WangWei.20200101",
        "mimamima123456",
        "zhongguo888888",
        "qwerty123456",
        "1qaz2wsx3edc",
        "qazwsxedcrfv",
        "asdfghjkl;'",
        "P@ssw0rd2026!",
        "Passw0rd!Passw0rd!",
        "admin@admin123",
        "servtrade-2026",
        "aaaaaaaaaaaaaa",
        "abcdefghijklmn",
        "987654321098",
        "20260506123000",
        "iloveyou!!!!!!",
        "!!!!!!!!!!!!",
        "              ",
    ],
)
def test_a_password_of_well_known_words_digits_and_runs_is_refused(password: str) -> None:
    assert is_weak(password)
    with pytest.raises(PasswordRefused):
        check_choice(password, ASVS)


@pytest.mark.parametrize(
    "password",
    [
        "purple mango radio",
        "correct horse battery staple",
        "xkq7-rmdz-9vpt-ebny",
        "窗前明月光疑是地上霜举头",
        "kettle nimda walnut",
        "t6#Lw9!qPz2m",
        "ein Satz mit 5 Wörtern",
    ],
)
def test_a_few_unrelated_words_or_random_characters_may_be_chosen(password: str) -> None:
    check_choice(password, ASVS)


def test_length_counts_characters_up_to_a_hundred_and_twenty_eight() -> None:
    with pytest.raises(PasswordRefused, match="12"):
        check_choice("t6#Lw9!qPz2", ASVS)
    check_choice("t6#Lw9!qPz2m", ASVS)
    check_choice("t6#Lw9!q" * 16, ASVS)
    with pytest.raises(PasswordRefused, match="128"):
        check_choice("t6#Lw9!q" * 16 + "x", ASVS)


@pytest.mark.parametrize(
    "password",
    [
        "kettle wangfang7 plum",
        "x91120116MA05D0WX9Hx",
        "Kettle WANGFANG7 plum",
        "ｗａｎｇｆａｎｇ７ kettle plum",
    ],
)
def test_what_others_know_of_the_person_may_not_stand_in_it(password: str) -> None:
    with pytest.raises(PasswordRefused, match="登录名"):
        check_choice(password, ASVS, own_words=["wangfang7", "91120116MA05D0WX9H", "王芳", ""])


def test_a_short_login_is_refused_only_where_it_is_the_whole_password() -> None:
    check_choice("kettle lily plum tree", ASVS, own_words=["li"])


def test_asvs_asks_for_no_kinds_of_characters_and_dengbao_for_three() -> None:
    check_choice("purple mango kettle radio", ASVS)
    with pytest.raises(PasswordRefused, match="等保"):
        check_choice("purplemangokettle", DENGBAO)
    with pytest.raises(PasswordRefused, match="2 种"):
        check_choice("purple mango kettle radio", DENGBAO)
    check_choice("Purple mango kettle radio", DENGBAO)
    check_choice("purple mango kettle 7", DENGBAO)


@pytest.mark.parametrize(
    "password", ["purple\x00mango radio", "purple\u202emango radio", "purple\nmango radio"]
)
def test_characters_that_nobody_sees_are_refused(password: str) -> None:
    with pytest.raises(PasswordRefused, match="看不见"):
        check_choice(password, ASVS)


def test_the_lists_stand_for_far_more_than_three_thousand_passwords_of_the_length_asked_for() -> None:
    words, _ = passwords._weak_words()
    padded = {f"{word}2026!!"[:40] for word in words if len(word) >= 6}
    assert len(padded) > 3_000
    assert all(is_weak(one) for one in list(padded)[:500])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
@example("\ud800" * 20)
@example("١٢٣٤٥٦٧٨٩٠١٢")
@example("ﬃ" * 60)
def test_any_text_gets_an_answer(password: str) -> None:
    refusal = None
    try:
        check_choice(password, DENGBAO, own_words=["wang"])
    except PasswordRefused as refused:
        refusal = refused.wording
    assert refusal is None or (refusal.zh and refusal.en)


def test_the_longest_password_is_judged_at_once() -> None:
    began = time.process_time()
    is_weak("qwerty" * 21)
    is_weak("a" * 128)
    assert time.process_time() - began < 10  # no speed: trying every split of it needs minutes


def test_one_time_passwords_are_long_random_and_legible() -> None:
    made = {new_one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", one) for one in made)
    assert not any(set(one) & set("01ilo") for one in made)


def test_a_password_is_kept_as_argon2id_with_46_mib_and_recognised_in_any_spelling() -> None:
    kept = hash_password("ｐｕｒｐｌｅ mango radio")
    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert is_password("purple mango radio", kept)
    assert not is_password("Purple mango radio", kept)
    assert kept != hash_password("purple mango radio")
    assert not needs_rehash(kept)


def test_a_hash_of_weaker_parameters_is_to_be_made_anew() -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("purple mango radio")
    assert is_password("purple mango radio", weak)
    assert needs_rehash(weak)


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$v=19$m=47104,t=2,p=1$broken"])
def test_what_is_no_hash_is_nobodys_password(kept: str) -> None:
    assert not is_password("", kept)
    assert not is_password("purple mango radio", kept)


def test_a_login_that_does_not_exist_takes_the_same_work_as_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not timed: the same function is called once, for a hash of the same parameters."""
    from argon2 import PasswordHasher, extract_parameters

    asked: list[str] = []
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
        asked.append(password_hash)
        return verify(hasher, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    kept = hash_password("purple mango radio")
    assert [is_password("wrong mango radio", stored) for stored in (kept, "")] == [False, False]
    known, unknown = map(extract_parameters, asked)
    assert known == unknown


def test_at_most_two_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Watching:
        def hash(self, _password: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return "hashed"

    monkeypatch.setattr(passwords, "_hasher", lambda _cost: Watching())
    threads = [threading.Thread(target=hash_password, args=("x",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
