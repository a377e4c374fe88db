"""What the pages say: every key that is used exists in both languages, none is left over, nothing is inline."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml

from pipelines.portal.language import WORDS_DIR, InvalidWords, Words

PORTAL = WORDS_DIR.parent
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
MODULES = sorted(PORTAL.rglob("*.py"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ALL = Words()


def used() -> tuple[set[str], set[str]]:
    """Keys, and families of keys (`submission.title` of `submission.title_accepted`), in templates and modules."""
    keys: set[str] = set()
    families: set[str] = set()
    for path in [*TEMPLATES, *MODULES]:
        text = path.read_text(encoding="utf-8")
        families |= set(re.findall(r"""t_of\(\s*["']([\w.]+)["']""", text))
        keys |= set(re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", text)) & ALL.keys()
        keys |= set(re.findall(r"""\bt\(\s*["']([\w.]+)["']""", text))
        for first, second in re.findall(
            r"""\bt\(\s*["']([\w.]+)["'] if [^()]*? else ["']([\w.]+)["']""", text
        ):
            keys |= {first, second}
        keys |= {f"notice.{name}" for name in re.findall(r"""notice=["'](\w+)["']""", text)}
    return keys, families


def test_every_key_that_is_used_exists() -> None:
    keys, families = used()
    assert keys - ALL.keys() == set()
    for family in families:
        assert any(key.startswith(f"{family}_") for key in sorted(ALL.keys())), family


def test_no_sentence_is_left_over() -> None:
    keys, families = used()
    unused = {
        key for key in ALL.keys() - keys if not any(key.startswith(f"{family}_") for family in families)
    }
    assert unused == set()


@pytest.mark.parametrize("path", sorted(WORDS_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_both_languages_say_the_same_things(path: Path) -> None:
    for name, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        fields = [
            {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
            for text in (texts["zh"], texts["en"])
        ]
        assert fields[0] == fields[1], name
        if name == "other_language":
            continue  # each page names the other language in that language
        assert CHINESE.search(texts["zh"]) or texts["zh"].isascii(), name
        assert not CHINESE.search(texts["en"].replace("审核意见", "").replace("零报", "")), name


def test_a_sentence_in_one_language_only_keeps_the_portal_from_starting(tmp_path: Path) -> None:
    (tmp_path / "page.yaml").write_text("title: {zh: 标题}\n", encoding="utf-8")
    with pytest.raises(InvalidWords, match=r"page\.yaml: title"):
        Words(tmp_path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_escapes_everything_and_has_nothing_inline(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", text)
    assert not re.search(r"https?://", text)
    # What a person reads is in the catalogue.
    assert not CHINESE.search(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_sends_something_carries_the_token(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
        if 'method="post"' in form:
            assert "parts.csrf()" in form or "{{ csrf() }}" in form
        else:
            assert 'method="get"' in form
