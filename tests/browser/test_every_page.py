"""Every page of the portal as the people of a bureau in the middle of its month see it, in both languages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from the_city import PAGES, REFUSED, Visits

# Where pictures of the pages go, for whoever wants to look at them.
PICTURES = os.environ.get("SERVTRADE_TEST_PICTURES")
BY_PERSON = {
    login: tuple(path for _, path in pages) for login, pages in groupby(sorted(PAGES), key=lambda one: one[0])
}
WIDTH_BEYOND = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", BY_PERSON, ids=lambda login: login or "nobody")
def test_every_page_is_accessible_in_both_languages_and_fits_a_narrow_screen(
    visits: Visits, accessible: Callable[[Any], None], login: str, language: str
) -> None:
    page = visits.page(login, language=language)
    for number, path in enumerate(BY_PERSON[login]):
        answer = visits.go(page, path)
        assert (answer.status == 200) is ((login, path) not in REFUSED), path
        assert page.locator("h1").count() == 1, path
        assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
        accessible(page)
        _picture(page, f"{login or 'nobody'}-{number:02d}{path}-{language}-1280")
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate(WIDTH_BEYOND) <= 0, f"{path} is wider than a narrow screen"
        _picture(page, f"{login or 'nobody'}-{number:02d}{path}-{language}-390")
        page.set_viewport_size({"width": 1280, "height": 900})


def test_every_page_is_there_without_scripts_with_nothing_hidden_that_is_needed(visits: Visits) -> None:
    for login, paths in BY_PERSON.items():
        page = visits.page(login, scripts=False)
        for path in paths:
            visits.go(page, path)
            for form in page.locator("main form").all():
                assert form.locator("button, input[type=submit]").count() >= 1, (login, path)


def _picture(page: Any, name: str) -> None:
    if PICTURES:
        file = re.sub(r"[^a-z0-9-]+", "_", name.lower()) + ".png"
        page.screenshot(path=str(Path(PICTURES) / file), full_page=True)
