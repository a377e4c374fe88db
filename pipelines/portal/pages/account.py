"""One's own account: language, password, second factor, open sessions."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Wording
from pipelines.ledger.accounts import Accounts
from pipelines.ledger.passwords import PasswordRefused
from pipelines.ledger.sign_in import CodeRefused, NotSignedIn, Session
from pipelines.portal.access import (
    NEW_PASSWORD_PATH,
    SECOND_FACTOR_PATH,
    SIGN_IN_PATH,
    Trouble,
    Visitor,
    allowed,
    drop_session_cookie,
    posted,
    session_cookie_name,
    set_session_cookie,
    set_view,
    text_of,
)
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import after_form, page, wording
from pipelines.portal.pages.board import district_name

router = APIRouter()


@router.get("/account")
def account(request: Request, visitor: Visitor = Depends(allowed())) -> Response:
    """Who one is here, and where one is signed in."""
    session = _session(visitor)
    return page(
        request,
        "account.html",
        visitor,
        session=session,
        sessions=_accounts(request).sessions_of(session.actor.account_id or 0),
        district_name=district_name,
    )


@router.post("/account/language", openapi_extra=form_fields(("language",), language=("zh", "en")))
def change_language(
    request: Request, visitor: Visitor = Depends(allowed()), form: FormData = Depends(posted)
) -> Response:
    """Keep the language with the account, for every browser that one signs in with."""
    language = text_of(form, "language")
    if language not in ("zh", "en"):
        raise Trouble(400)
    _accounts(request).set_language(visitor.actor, language)
    response = after_form("/account", notice="account_saved")
    set_view(response, request, language, visitor.has_large_text, visitor.has_high_contrast)
    return response


@router.post("/account/sessions/end", openapi_extra=form_fields(("session_id",), session_id=str))
def end_session(
    request: Request, visitor: Visitor = Depends(allowed()), form: FormData = Depends(posted)
) -> Response:
    """End one of one's own sessions."""
    session_id = text_of(form, "session_id")
    if not _accounts(request).end_session(session_id, visitor.actor):
        raise Trouble(404)
    if session_id == _session(visitor).session_id:
        response = after_form(SIGN_IN_PATH, notice="signed_out")
        drop_session_cookie(response, request)
        return response
    return after_form("/account", notice="session_ended")


@router.get(NEW_PASSWORD_PATH)
def password_form(request: Request, visitor: Visitor = Depends(allowed(is_for_newcomers=True))) -> Response:
    """The form for another password."""
    return _password_form(request, visitor, None)


@router.post(
    NEW_PASSWORD_PATH,
    openapi_extra=form_fields(("present", "chosen", "again"), present=str, chosen=str, again=str),
)
def change_password(
    request: Request,
    visitor: Visitor = Depends(allowed(is_for_newcomers=True)),
    form: FormData = Depends(posted),
) -> Response:
    """Choose another password; the session goes on under a new token, all others end."""
    present, chosen, again = (_typed(form, name) for name in ("present", "chosen", "again"))
    if chosen != again:
        return _password_form(request, visitor, wording(request, "account.not_the_same"))
    try:
        token = _accounts(request).change_password(_token(request), present, chosen, visitor.actor.address)
    except PasswordRefused as refused:
        return _password_form(request, visitor, refused.wording)
    except NotSignedIn:
        return after_form(SIGN_IN_PATH)
    response = after_form("/", notice="password_changed")
    set_session_cookie(response, request, token)
    return response


@router.get(SECOND_FACTOR_PATH)
def second_factor(request: Request, visitor: Visitor = Depends(allowed(is_for_newcomers=True))) -> Response:
    """Whether there is a second factor, and how to set one up."""
    return _second_factor_page(request, visitor, None)


@router.post(f"{SECOND_FACTOR_PATH}/begin", openapi_extra=form_fields(("present",), present=str))
def begin_second_factor(
    request: Request,
    visitor: Visitor = Depends(allowed(is_for_newcomers=True)),
    form: FormData = Depends(posted),
) -> Response:
    """Make a secret for the app, for who gives the password once more; the page then shows it as a picture."""
    try:
        _accounts(request).begin_second_factor(
            _token(request), _typed(form, "present"), visitor.actor.address
        )
    except PasswordRefused as refused:
        return _second_factor_page(request, visitor, refused.wording)
    except NotSignedIn:
        return after_form(SIGN_IN_PATH)
    except CodeRefused:
        raise Trouble(409) from None
    return after_form(SECOND_FACTOR_PATH)


@router.post(SECOND_FACTOR_PATH, openapi_extra=form_fields(("code",), code=str))
def confirm_second_factor(
    request: Request,
    visitor: Visitor = Depends(allowed(is_for_newcomers=True)),
    form: FormData = Depends(posted),
) -> Response:
    """Put the second factor in force with a first code."""
    try:
        token = _accounts(request).confirm_second_factor(
            _token(request), text_of(form, "code"), visitor.actor.address
        )
    except CodeRefused as refused:
        return _second_factor_page(request, visitor, refused.wording)
    except NotSignedIn:
        return after_form(SIGN_IN_PATH)
    response = after_form("/", notice="second_factor_added")
    set_session_cookie(response, request, token)
    return response


def _password_form(request: Request, visitor: Visitor, refusal: Wording | None) -> Response:
    profile = _accounts(request).profile
    return page(
        request,
        "account_password.html",
        visitor,
        status_code=200 if refusal is None else 422,
        refusal=refusal,
        must=visitor.session is not None and visitor.session.must_change_password,
        profile=profile,
    )


def _second_factor_page(request: Request, visitor: Visitor, refusal: Wording | None) -> Response:
    session = _session(visitor)
    pending = None if session.has_second_factor else _accounts(request).pending_second_factor(visitor.actor)
    picture = ""
    if pending is not None:
        encoded = base64.b64encode(pending.picture_svg.encode()).decode()
        picture = f"data:image/svg+xml;base64,{encoded}"
    return page(
        request,
        "account_second_factor.html",
        visitor,
        status_code=200 if refusal is None else 422,
        refusal=refusal,
        session=session,
        secret=_in_groups(pending.secret) if pending is not None else "",
        picture=picture,
    )


def _in_groups(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _session(visitor: Visitor) -> Session:
    session = visitor.session
    if not isinstance(session, Session):
        raise Trouble(401)
    return session


def _token(request: Request) -> str:
    return request.cookies.get(session_cookie_name(request), "")


def _typed(form: FormData, name: str) -> str:
    """A password as typed: its blanks are part of it."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
