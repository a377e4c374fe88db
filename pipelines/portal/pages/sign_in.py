"""Signing in and out: login and password, the six digits, the city's identity provider.

Whether somebody may come in is decided in `ledger.sign_in`; here are the forms and the cookies.
"""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipelines.ledger.accounts import Accounts
from pipelines.ledger.sign_in import Outcome, SignIn
from pipelines.portal.access import (
    SIGN_IN_PATH,
    Visitor,
    allowed,
    anyone,
    code_cookie_name,
    drop_code_cookie,
    drop_session_cookie,
    local_path,
    posted,
    session_cookie_name,
    set_cookie,
    set_session_cookie,
    text_of,
)
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import after_form, page
from pipelines.portal.oidc import IdentityProvider, OidcRefused

router = APIRouter()

_CODE_PATH = "/sign-in/code"
_OIDC_PATH = "/sign-in/oidc"
_OIDC_BACK_PATH = "/sign-in/oidc/back"
_OIDC_COOKIE = "servtrade_oidc"
_MAX_TYPED = 1_000
_CODE_SECONDS = 300


@router.get(SIGN_IN_PATH)
def sign_in_form(request: Request, next: str = "", visitor: Visitor = Depends(anyone)) -> Response:
    """The form; who is signed in already goes on."""
    if visitor.is_signed_in:
        return after_form(_onward(next))
    return _form(request, visitor, _onward(next))


@router.post(
    SIGN_IN_PATH, openapi_extra=form_fields(("login", "password"), login=str, password=str, next=str)
)
def sign_in(
    request: Request, visitor: Visitor = Depends(anyone), form: FormData = Depends(posted)
) -> Response:
    """Try login and password."""
    onward = _onward(text_of(form, "next", longest=2_000))
    password = form.get("password", "")
    answer = _accounts(request).sign_in(
        text_of(form, "login", longest=_MAX_TYPED),
        password if isinstance(password, str) else "",
        _address(request),
        browser=request.headers.get("user-agent", ""),
    )
    if answer.outcome is Outcome.CODE_NEEDED and answer.session_token:
        response = after_form(f"{_CODE_PATH}?next={onward}" if onward != "/" else _CODE_PATH)
        set_cookie(response, request, code_cookie_name(request), answer.session_token, max_age=_CODE_SECONDS)
        return response
    if answer.outcome is Outcome.SIGNED_IN and answer.session_token:
        return _let_in(request, answer.session_token, onward)
    return _form(request, visitor, onward, answer, login=text_of(form, "login", longest=_MAX_TYPED))


@router.get(_CODE_PATH)
def code_form(request: Request, next: str = "", visitor: Visitor = Depends(anyone)) -> Response:
    """The form for the six digits, for who has given the right password."""
    if not _accounts(request).awaits_code(request.cookies.get(code_cookie_name(request), "")):
        return after_form(SIGN_IN_PATH)
    return _code_form(request, visitor, _onward(next))


@router.post(_CODE_PATH, openapi_extra=form_fields(("code",), code=str, next=str))
def sign_in_code(
    request: Request, visitor: Visitor = Depends(anyone), form: FormData = Depends(posted)
) -> Response:
    """Try the six digits."""
    accounts, onward = _accounts(request), _onward(text_of(form, "next", longest=2_000))
    token = request.cookies.get(code_cookie_name(request), "")
    answer = accounts.sign_in_code(
        token,
        text_of(form, "code", longest=_MAX_TYPED),
        _address(request),
        browser=request.headers.get("user-agent", ""),
    )
    if answer.outcome is Outcome.SIGNED_IN and answer.session_token:
        response = _let_in(request, answer.session_token, onward)
        drop_code_cookie(response, request)
        return response
    if answer.outcome is Outcome.REFUSED and not accounts.awaits_code(token):
        response = after_form(SIGN_IN_PATH)
        drop_code_cookie(response, request)
        return response
    return _code_form(request, visitor, onward, answer)


@router.post("/sign-out", openapi_extra=form_fields())
def sign_out(
    request: Request,
    visitor: Visitor = Depends(allowed(is_for_newcomers=True)),
    form: FormData = Depends(posted),
) -> Response:
    """End the session, here and in the ledger."""
    _accounts(request).sign_out(request.cookies.get(session_cookie_name(request), ""), _address(request))
    response = after_form(SIGN_IN_PATH, notice="signed_out")
    drop_session_cookie(response, request)
    return response


# -- the city's identity provider --------------------------------------------------------------------------------


@router.get(_OIDC_PATH)
def begin_oidc(request: Request, visitor: Visitor = Depends(anyone)) -> Response:
    """Send the browser to the identity provider. Changes nothing here; the cookie binds the answer to this browser."""
    provider = _provider(request)
    if not provider.is_configured:
        return after_form(SIGN_IN_PATH)
    try:
        address, state = provider.begin(str(request.url.replace(path=_OIDC_BACK_PATH, query="")))
    except OidcRefused as refused:
        return _oidc_failed(request, visitor, refused)
    response = RedirectResponse(address, status_code=303)
    # Lax, not Strict: the browser comes back from another site. The cookie opens nothing.
    response.set_cookie(
        _OIDC_COOKIE,
        state,
        max_age=600,
        path=_OIDC_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(_OIDC_BACK_PATH)
def end_oidc(
    request: Request, code: str = "", state: str = "", error: str = "", visitor: Visitor = Depends(anyone)
) -> Response:
    """Let in whom the provider vouches for: the one GET after which something is different, as OpenID Connect has it.

    State, nonce and PKCE see to it that it is the answer to what this browser began. A page of ours stands between: a
    browser that comes from another site does not yet send the new, strict cookie.
    """
    try:
        token = _vouched_for(request, code, state, error)
    except OidcRefused as refused:
        return _oidc_failed(request, visitor, refused)
    response = page(request, "sign_in_done.html", visitor, headers={"Refresh": "0; url=/"})
    set_session_cookie(response, request, token)
    response.delete_cookie(_OIDC_COOKIE, path=_OIDC_PATH)
    return response


def _vouched_for(request: Request, code: str, state: str, error: str) -> str:
    """The token of a session for whom the provider vouches for. Raises OidcRefused."""
    if error or not code:
        raise OidcRefused("no code")
    identity = _provider(request).finish(code, state, request.cookies.get(_OIDC_COOKIE, ""))
    answer = _accounts(request).sign_in_by_identity(
        identity, _address(request), browser=request.headers.get("user-agent", "")
    )
    if answer.session_token is None:
        raise OidcRefused("account")
    return answer.session_token


def _oidc_failed(request: Request, visitor: Visitor, refused: OidcRefused) -> Response:
    request.app.state.journal.note("oidc_refused", why=refused.why)
    return page(
        request,
        "sign_in.html",
        visitor,
        status_code=401,
        onward="/",
        login="",
        trouble="",
        minutes=0,
        refusal=refused.wording,
        has_oidc=_provider(request).is_configured,
    )


# -- common ------------------------------------------------------------------------------------------------------


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _provider(request: Request) -> IdentityProvider:
    state = request.app.state
    if not hasattr(state, "identity_provider"):
        state.identity_provider = IdentityProvider(state.settings)
    provider: IdentityProvider = state.identity_provider
    return provider


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _onward(text: str) -> str:
    """Where to go after signing in: a page of ours, and not the form again."""
    path = local_path(text)
    return "/" if path is None or path.startswith((SIGN_IN_PATH, "/sign-out")) else path


def _let_in(request: Request, token: str, onward: str) -> Response:
    response = after_form(onward)
    # Whatever session this browser had is over: nobody signs in into a session that somebody else began.
    earlier = request.cookies.get(session_cookie_name(request), "")
    if earlier:
        _accounts(request).sign_out(earlier, _address(request))
    set_session_cookie(response, request, token)
    return response


def _form(
    request: Request, visitor: Visitor, onward: str, answer: SignIn | None = None, *, login: str = ""
) -> Response:
    trouble, status, headers, minutes = _told(answer)
    return page(
        request,
        "sign_in.html",
        visitor,
        status_code=status,
        headers=headers,
        onward=onward,
        login=login[:64],
        trouble=trouble,
        minutes=minutes,
        refusal=None,
        has_oidc=_provider(request).is_configured,
    )


def _code_form(request: Request, visitor: Visitor, onward: str, answer: SignIn | None = None) -> Response:
    trouble, status, headers, minutes = _told(answer)
    return page(
        request,
        "sign_in_code.html",
        visitor,
        status_code=status,
        headers=headers,
        onward=onward,
        trouble=trouble,
        minutes=minutes,
    )


def _told(answer: SignIn | None) -> tuple[str, int, dict[str, str], int]:
    """What is wrong, the status, headers, and how many minutes to wait."""
    if answer is None:
        return "", 200, {}, 0
    if answer.outcome is Outcome.THROTTLED:
        seconds = max(1, int(answer.retry_after / timedelta(seconds=1)))
        return "throttled", 429, {"Retry-After": str(seconds)}, -(-seconds // 60)
    return "refused", 401, {}, 0
