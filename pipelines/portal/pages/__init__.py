"""The pages of the portal, one module a page: its `router`, and its `NAVIGATION` where it stands in the menu.

A new page is added to PAGES; how to write one is in ../README.md.
"""

from __future__ import annotations

from fastapi import APIRouter

from pipelines.portal.frame import NavigationItem
from pipelines.portal.pages import (
    account,
    audit,
    board,
    enterprises,
    home,
    months,
    register_import,
    reminders,
    review,
    rules,
    sign_in,
    submission,
    submissions,
    templates,
    uploads,
    users,
    view,
)

PAGES = (
    account,
    audit,
    board,
    register_import,  # before the pages of single enterprises: /enterprises/import is none of them
    enterprises,
    home,
    months,
    reminders,
    review,
    rules,
    sign_in,
    submission,
    submissions,
    templates,
    uploads,
    users,
    view,
)

ROUTERS: tuple[APIRouter, ...] = tuple(module.router for module in PAGES)
NAVIGATION: tuple[NavigationItem, ...] = tuple(
    item for module in PAGES for item in getattr(module, "NAVIGATION", ())
)
