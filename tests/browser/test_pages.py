"""Every page of the desk, in both languages: nothing against accessibility, nothing against the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from portal_in_chromium import Portal

PAGES = [
    ("ours", "/"),
    ("clerk", "/"),
    ("our_district", "/"),
    ("official", "/"),
    ("system_admin", "/"),
    ("ours", "/uploads"),
    ("clerk", "/uploads"),
    ("ours", "/submissions/{accepted}"),
    ("ours", "/submissions/{queried}"),
    ("ours", "/submissions/{rejected}"),
    ("ours", "/submissions/{unreadable}"),
    ("clerk", "/submissions/{queried}"),
    ("ours", "/submissions/{accepted}/receipt"),
    ("ours", "/nowhere"),
    ("official", "/uploads"),
]


def address(portal: Portal, path: str) -> str:
    """A path with the ids of the returns that were filed."""
    return path.format(**{name: one.submission_id for name, one in vars(portal.filed).items()})


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("person", "path"), PAGES, ids=str)
def test_a_page_is_accessible_and_keeps_to_the_policy(
    portal: Portal,
    visit: Callable[..., Any],
    accessible: Callable[[Any], None],
    person: str,
    path: str,
    language: str,
) -> None:
    page = visit(person, address(portal, path), language=language)
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")
    accessible(page)


@pytest.mark.parametrize("view", [".large", ".contrast", ".large.contrast"])
@pytest.mark.parametrize("path", ["/", "/submissions/{queried}"])
def test_large_text_and_high_contrast_are_accessible_too(
    portal: Portal, visit: Callable[..., Any], accessible: Callable[[Any], None], view: str, path: str
) -> None:
    accessible(visit("ours", address(portal, path), view=view))


@pytest.mark.parametrize(
    "path", ["/", "/uploads", "/submissions/{queried}", "/submissions/{accepted}/receipt"]
)
@pytest.mark.parametrize("width", [320, 640])
def test_at_200_per_cent_and_on_a_telephone_nothing_runs_out_of_the_page(
    portal: Portal, visit: Callable[..., Any], path: str, width: int
) -> None:
    page = visit("ours", address(portal, path), width=width)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
