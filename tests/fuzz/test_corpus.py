"""Inputs that the fuzzer once found, and those it begins with, keep the reader's promises for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.promises import answer_to, keep_promises
from tests.fuzz.seeds import seeds

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_an_input_that_the_fuzzer_kept_is_answered_and_not_crashed_on(path: Path) -> None:
    keep_promises(path.read_bytes())


@pytest.mark.parametrize("content", list(seeds()), ids=lambda content: f"{len(content)} bytes")
def test_the_fuzzer_begins_with_files_that_are_read(content: bytes) -> None:
    keep_promises(content)


def test_the_kept_inputs_differ_in_what_is_said_of_them() -> None:
    answers = {answer_to(path.read_bytes()) for path in CORPUS if path.suffix == ".bin"}
    assert len(answers) >= 30
