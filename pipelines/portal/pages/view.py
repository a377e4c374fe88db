"""How somebody wants to see the pages: language, large text, high contrast. Kept in the browser."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.portal.access import Trouble, Visitor, anyone, local_path, posted, set_view, text_of
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import after_form

router = APIRouter()


@router.post("/view", openapi_extra=form_fields(change=("zh", "en", "large", "contrast"), next=str))
def change_view(
    request: Request, visitor: Visitor = Depends(anyone), form: FormData = Depends(posted)
) -> Response:
    """Change one thing about how the pages look, and go back to the page one was on."""
    change = text_of(form, "change")
    language = change if change in {"zh", "en"} else visitor.language
    if change not in {"zh", "en", "large", "contrast"}:
        raise Trouble(400)
    response = after_form(local_path(text_of(form, "next", longest=2_000)) or "/")
    set_view(
        response,
        request,
        language,
        visitor.has_large_text != (change == "large"),
        visitor.has_high_contrast != (change == "contrast"),
    )
    return response
