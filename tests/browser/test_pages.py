"""Large text, high contrast, narrow screens: the pages hold. Every page as it is: test_every_page.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from portal_in_chromium import Portal


def address(portal: Portal, path: str) -> str:
    """A path with the ids of the returns that were filed."""
    return path.format(**{name: one.submission_id for name, one in vars(portal.filed).items()})


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
