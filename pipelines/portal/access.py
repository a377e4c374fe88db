"""Who may: every route declares it, and what nobody declared is open to nobody.

A route takes `visitor: Visitor = Depends(allowed(Role.CLERK))` or `Depends(anyone)`; `create_app` refuses to start
with a route that does neither. For a form the same dependency checks where it came from and its token, and only then
reads it, up to the size that the route allows; the page gets it with `form: FormData = Depends(posted)`.

Who signs in and how is in `ledger.accounts`; which return a visitor may see is in `visible`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Message, Receive

from pipelines.findings import Wording
from pipelines.ledger.actors import Actor, Role

# A form of ours without files; a page with files says more in `allowed`.
FORM_BYTES = 256 * 1024
FORM_FIELDS = 1_000
_PART_BYTES = 64 * 1024

SIGN_IN_PATH = "/sign-in"
SIGN_OUT_PATH = "/sign-out"
NEW_PASSWORD_PATH = "/account/password"  # noqa: S105 - a path  # nosec B105
SECOND_FACTOR_PATH = "/account/second-factor"
VIEW_COOKIE = "servtrade_view"
_YEAR_SECONDS = 365 * 24 * 3600
_CSRF_FIELD = "csrf_token"
_CSRF_HEADER = "x-csrf-token"


# Somebody else has signed in since, or the same person anew: the page belongs to a session that is over.
_OUTDATED_PAGE = Wording(
    "这个页面已过期：打开之后，您在本浏览器重新登录过。刚才提交的内容没有收到，也没有保存。请返回上一页，刷新后重新提交。",
    "This page is out of date: somebody has signed in anew in this browser since it was opened. What you just sent was "
    "not received and not saved. Go back one page, reload it, and send it again.",
)


class Session(Protocol):
    """Somebody signed in, as `ledger.accounts` knows them."""

    @property
    def actor(self) -> Actor: ...
    @property
    def display_name(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def must_change_password(self) -> bool: ...
    @property
    def must_enrol_second_factor(self) -> bool: ...


class Accounts(Protocol):
    """What the frame asks of `ledger.accounts`."""

    def session(self, token: str, address: str) -> Session | None:
        """Who holds this token from this address, or None; counts as a sign of life of the session."""
        ...


class Trouble(Exception):
    """The request cannot be done; the status and, where it helps, what to tell the person.

    Without a wording the page says what errors of this status have in common. `headers` go with the answer.
    """

    def __init__(
        self, status: int, wording: Wording | None = None, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(str(status))
        self.status = status
        self.wording = wording
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the page, and how.

    `session` None: not signed in. `csrf_token` belongs to the session (or to the guest's cookie) and stands in
    every form. `new_guest_token` is a cookie that the answer has to set for that.
    """

    actor: Actor
    display_name: str
    language: str
    csrf_token: str
    session: Session | None = None
    has_large_text: bool = False
    has_high_contrast: bool = False
    new_guest_token: str = ""

    @property
    def is_signed_in(self) -> bool:
        return self.session is not None

    def has(self, *roles: Role) -> bool:
        """Whether the visitor holds any of these roles."""
        return self.is_signed_in and self.actor.has(*roles)


class Access:
    """The dependency by which a route says who may. Made by `allowed` and `anyone`."""

    def __init__(
        self,
        roles: frozenset[Role] | None,
        *,
        body_bytes: int,
        file_count: int,
        field_count: int = FORM_FIELDS,
        is_form: bool = True,
        is_for_newcomers: bool = False,
    ) -> None:
        self.roles = roles  # None: also who has not signed in
        self.body_bytes = body_bytes
        self.file_count = file_count
        self.field_count = field_count
        self.is_form = is_form
        self.is_for_newcomers = is_for_newcomers

    async def __call__(self, request: Request) -> Visitor:
        visitor = await run_in_threadpool(visitor_of, request)
        request.state.visitor = visitor
        if self.roles is not None:
            self._refuse_strangers(request, visitor, self.roles)
        if request.method not in {"GET", "HEAD"}:
            await self._take_form(request, visitor)
        return visitor

    def _refuse_strangers(self, request: Request, visitor: Visitor, roles: frozenset[Role]) -> None:
        session = visitor.session
        if session is None:
            raise _elsewhere(request, _sign_in_address(request))
        if not self.is_for_newcomers:
            if session.must_change_password:
                raise _elsewhere(
                    request, _saying_what_is_lost(request, NEW_PASSWORD_PATH, "not_received_yet")
                )
            if session.must_enrol_second_factor:
                raise _elsewhere(
                    request, _saying_what_is_lost(request, SECOND_FACTOR_PATH, "not_received_yet")
                )
        # Whoever has signed in: also a new account, which chooses its password before it is given a role.
        if roles != frozenset(Role) and not visitor.has(*roles):
            raise Trouble(403)

    async def _take_form(self, request: Request, visitor: Visitor) -> None:
        """Read the form after everything that can be known without reading it is in order."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.body_bytes:
            raise self._too_large()
        bounded = Request(request.scope, _bounded(request.receive, self.body_bytes, self._too_large()))
        if not self.is_form:
            request.state.body = await bounded.body()
            return
        if not is_from_here(request):
            raise Trouble(403)
        try:
            form = await bounded.form(
                max_files=self.file_count, max_fields=self.field_count, max_part_size=_PART_BYTES
            )
        except ClientDisconnect as error:
            raise Trouble(400) from error
        except HTTPException as error:
            raise self._unreadable(str(error.detail)) from error
        request.state.form = form
        given = request.headers.get(_CSRF_HEADER) or form.get(_CSRF_FIELD) or ""
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visitor.csrf_token.encode()):
            await form.close()
            raise Trouble(403, _OUTDATED_PAGE)

    def _too_large(self) -> Trouble:
        """What to tell whoever sends more than this route takes; of files the page of the error says how many."""
        if self.file_count:
            return Trouble(413)
        most = self.body_bytes // 1024
        return Trouble(
            413,
            Wording(
                f"提交的内容太大：此处一次最多 {most} KB。刚才提交的内容没有收到，也没有保存。请返回上一页，减少内容后分几次提交。",
                f"What you sent is too large: at most {most} KB at a time here. It was not received and not saved. Go back one "
                "page and send it in several parts.",
            ),
        )

    def _unreadable(self, why: str) -> Trouble:
        """What to tell of a form that cannot be taken apart; `why` is what the parser says."""
        if not why.startswith("Too many fields"):
            return Trouble(400)
        return Trouble(
            400,
            Wording(
                f"提交的项目太多：此处一次最多 {self.field_count} 项。刚才提交的内容没有收到，也没有保存。请返回上一页，分几次提交。",
                f"Too many items: at most {self.field_count} at a time here. What you sent was not received and not saved. Go "
                "back one page and send it in several parts.",
            ),
        )


def allowed(
    *roles: Role,
    body_bytes: int = FORM_BYTES,
    file_count: int = 0,
    field_count: int = FORM_FIELDS,
    is_for_newcomers: bool = False,
) -> Access:
    """For people who hold any of these roles; without roles, for everybody who has signed in.

    `body_bytes`, `file_count` and `field_count` bound a form that holds more than most. `is_for_newcomers` marks the few pages that are open
    to somebody who must first choose a password of their own or take on a second factor.
    """
    return Access(
        frozenset(roles or Role),
        body_bytes=body_bytes,
        file_count=file_count,
        field_count=field_count,
        is_for_newcomers=is_for_newcomers,
    )


anyone = Access(None, body_bytes=FORM_BYTES, file_count=0)
# Browsers send what broke the policy without a form; nothing but the log is written. See `headers`.
browser_report = Access(None, body_bytes=16 * 1024, file_count=0, is_form=False)


async def posted(request: Request) -> FormData:
    """The form of this request, after `allowed` or `anyone` has let it in. Depend on it behind them."""
    form: FormData = request.state.form
    return form


def text_of(form: FormData, name: str, longest: int = 500) -> str:
    """A field of a form as text without blanks at its ends; empty where it is missing or not a text.

    Raises Trouble (400) when it is longer than any person would write there.
    """
    value = form.get(name, "")
    if not isinstance(value, str):
        raise Trouble(400)
    if len(value) > longest:
        raise Trouble(
            400,
            Wording(
                f"填写的内容过长：最多 {longest} 个字，实际 {len(value)} 个字。请缩短后重试。",
                f"The text is too long: at most {longest} characters, given {len(value)}. Shorten it and try again.",
            ),
        )
    return value.strip()


# -- who is it ----------------------------------------------------------------------------------------------


def visitor_of(request: Request) -> Visitor:
    """Who sent this request. Asks the ledger; call it in the thread pool."""
    address = request.client.host if request.client else ""
    token = request.cookies.get(session_cookie_name(request), "")
    session = None
    if token:
        accounts: Accounts = request.app.state.accounts
        session = accounts.session(token, address)
    if session is None:
        return guest_of(request)
    language, has_large_text, has_high_contrast = _view_of(request, session.language)
    return Visitor(
        actor=session.actor,
        display_name=session.display_name,
        language=language,
        csrf_token=_csrf_token(token),
        session=session,
        has_large_text=has_large_text,
        has_high_contrast=has_high_contrast,
    )


def guest_of(request: Request) -> Visitor:
    """Somebody who has not signed in; asks nothing of the ledger."""
    address = request.client.host if request.client else ""
    default_language: str = request.app.state.settings.language
    language, has_large_text, has_high_contrast = _view_of(request, default_language)
    token = request.cookies.get(guest_cookie_name(request), "")
    is_new = not token
    if is_new:
        token = secrets.token_urlsafe(32)
    return Visitor(
        actor=Actor("", address=address),
        display_name="",
        language=language,
        csrf_token=_csrf_token(token),
        has_large_text=has_large_text,
        has_high_contrast=has_high_contrast,
        new_guest_token=token if is_new else "",
    )


def _csrf_token(secret: str) -> str:
    """The token that belongs to a secret cookie: it tells nothing about the cookie and needs no store."""
    return hmac.new(secret.encode(), b"servtrade form token", hashlib.sha256).hexdigest()


def is_from_here(request: Request) -> bool:
    """Whether a form was sent by a page of ours: what the browser itself says of where it comes from.

    A program that is no browser says nothing; it has no cookie that somebody else could make it use.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return True
    sent_from = urlsplit(origin)
    return sent_from.scheme == request.url.scheme and sent_from.netloc == request.headers.get("host", "")


# -- cookies ------------------------------------------------------------------------------------------------


def _cookie_name(request: Request, name: str) -> str:
    # The prefix makes browsers refuse a cookie of another host or path; it demands TLS.
    return f"__Host-{name}" if request.url.scheme == "https" else name


def session_cookie_name(request: Request) -> str:
    """Name of the cookie with the session's token."""
    return _cookie_name(request, "servtrade")


def guest_cookie_name(request: Request) -> str:
    """Name of the cookie to which the forms of a guest belong."""
    return _cookie_name(request, "servtrade_guest")


def code_cookie_name(request: Request) -> str:
    """Name of the cookie between password and six-digit code."""
    return _cookie_name(request, "servtrade_code")


def set_cookie(
    response: Response, request: Request, name: str, value: str, *, max_age: int | None = None
) -> None:
    """Set a cookie that no script reads and no other site sends; until the browser closes unless `max_age`."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def set_session_cookie(response: Response, request: Request, token: str) -> None:
    """Give the browser the token of a new session; the guest's cookie ends with it."""
    set_cookie(response, request, session_cookie_name(request), token)
    _drop(response, request, guest_cookie_name(request))


def drop_session_cookie(response: Response, request: Request) -> None:
    """Make the browser forget the session."""
    _drop(response, request, session_cookie_name(request))


def drop_code_cookie(response: Response, request: Request) -> None:
    """Make the browser forget the step between password and code."""
    _drop(response, request, code_cookie_name(request))


def _drop(response: Response, request: Request, name: str) -> None:
    response.delete_cookie(
        name, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )


def _view_of(request: Request, default_language: str) -> tuple[str, bool, bool]:
    """Language, large text and high contrast as last chosen in this browser."""
    chosen = request.cookies.get(VIEW_COOKIE, "").split(".")
    language = next((one for one in chosen if one in {"zh", "en"}), default_language)
    return language, "large" in chosen, "contrast" in chosen


def set_view(
    response: Response, request: Request, language: str, has_large_text: bool, has_high_contrast: bool
) -> None:
    """Keep in the browser how somebody wants to see the pages, for a year."""
    parts = [language, *(["large"] if has_large_text else []), *(["contrast"] if has_high_contrast else [])]
    set_cookie(response, request, VIEW_COOKIE, ".".join(parts), max_age=_YEAR_SECONDS)


# -- where to next ------------------------------------------------------------------------------------------


def local_path(text: str) -> str | None:
    """A path of this portal, or None for anything that could lead a browser elsewhere."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or len(text) > 2_000:
        return None
    if any(character <= " " or character in "\\\x7f" for character in text) or not text.isascii():
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return None
    return text


def _sign_in_address(request: Request) -> str:
    """The page to sign in, that leads back to what was asked for, or to the page from which a form was sent."""
    if _is_sent(request):
        wanted = _sent_from(request)
    else:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = _saying_what_is_lost(request, SIGN_IN_PATH, "not_received")
    if wanted == "/" or local_path(wanted) is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}next={quote(wanted, safe='/')}"


def _is_sent(request: Request) -> bool:
    return request.method not in {"GET", "HEAD"}


def _saying_what_is_lost(request: Request, path: str, notice: str) -> str:
    """The address at which the person is told that a form was not taken: nothing of it has been read."""
    return f"{path}?said={notice}" if _is_sent(request) and request.url.path != SIGN_OUT_PATH else path


def _sent_from(request: Request) -> str:
    """The page of ours from which a form was sent, without what was said at its top; "/" where that is not known."""
    parts = urlsplit(request.headers.get("referer", ""))
    is_ours = parts.scheme == request.url.scheme and parts.netloc == request.headers.get("host", "")
    path = parts.path if is_ours else request.url.path
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "said"])
    page = _page_at_or_above(request, path)
    if page.startswith((SIGN_IN_PATH, SIGN_OUT_PATH)):
        return "/"
    return f"{page}?{query}" if is_ours and page == path and query else page


def _page_at_or_above(request: Request, path: str) -> str:
    """The nearest address at or above this one that can be looked at: that of a form that was refused cannot."""
    routes: list[APIRoute] = request.app.state.routes
    while path.strip("/"):
        asked = {**request.scope, "path": path, "method": "GET"}
        if any(route.matches(asked)[0] is Match.FULL for route in routes):
            return path
        path = path.rpartition("/")[0]
    return "/"


def _elsewhere(request: Request, address: str) -> Trouble:
    """Send the person to another page first; a part of a page that htmx asked for makes the whole page go."""
    if request.headers.get("hx-request"):
        return Trouble(401, headers={"HX-Redirect": address})
    return Trouble(303, headers={"Location": address})


# -- what the routes declare --------------------------------------------------------------------------------


class UndeclaredAccess(RuntimeError):
    """A route does not say who may; mend the page, the portal does not start with it."""


def declared_access(route: APIRoute) -> list[Access]:
    """What a route says of who may: exactly one entry where it is in order."""
    return [
        dependency.call for dependency in route.dependant.dependencies if isinstance(dependency.call, Access)
    ]


def routes_of(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """Every route of these routers. Raises UndeclaredAccess for one that is not ours to check, or says nothing."""
    found = []
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise UndeclaredAccess(f"{route!r}: only routes of an APIRouter can declare who may")
            if len(declared_access(route)) != 1:
                raise UndeclaredAccess(
                    f"{route.path}: {route.name} does not say who may; "
                    "give it `visitor: Visitor = Depends(allowed(...))` or `Depends(anyone)`"
                )
            found.append(route)
    return found


def _bounded(receive: Receive, most_bytes: int, too_large: Trouble) -> Receive:
    """The body as it comes, as long as there is not more of it than was agreed."""
    total = 0

    async def bounded_receive() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > most_bytes:
                raise too_large
        return message

    return bounded_receive
