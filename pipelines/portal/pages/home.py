"""The first page after signing in: what to do now, by role."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.portal.access import Visitor, allowed
from pipelines.portal.frame import NavigationItem, page

router = APIRouter()
NAVIGATION = (NavigationItem("/", "home.navigation", place=10),)


@router.get("/")
def home(request: Request, visitor: Visitor = Depends(allowed())) -> Response:
    """The first page."""
    return page(request, "home.html", visitor)
