"""Accounts for the administrators: the system administrator makes them, the security administrator gives them roles.

Each sees the forms of their own part only; that neither can do the other's is decided in `ledger.accounts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from pipelines.findings import Wording
from pipelines.ledger.accounts import AccountRefused, Accounts, NewAccount, UnknownAccount
from pipelines.ledger.actors import NotAllowed, Role
from pipelines.portal.access import Trouble, Visitor, allowed, posted, text_of
from pipelines.portal.fields import form_fields
from pipelines.portal.frame import NavigationItem, after_form, page
from pipelines.portal.pages.board import district_name

router = APIRouter()
_ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN})
NAVIGATION = (NavigationItem("/users", "users.navigation", _ADMINISTRATORS, place=80),)
_ROLE_NAMES = tuple(role.value for role in Role)
_SEPARATORS = re.compile(r"[\s,，、;；]+")


@router.get("/users")
def users(
    request: Request,
    q: str = "",
    visitor: Visitor = Depends(allowed(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)),
) -> Response:
    """Every account; for the system administrator also the form for a new one."""
    return _list(request, visitor, q=q)


@router.post(
    "/users", openapi_extra=form_fields(("login", "name"), login=str, name=str, language=("zh", "en"))
)
def create_user(
    request: Request,
    visitor: Visitor = Depends(allowed(Role.SYSTEM_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Make an account. The answer is the page with its one-time password: there is no other moment to show it."""
    try:
        made = _accounts(request).create(
            visitor.actor,
            text_of(form, "login", longest=1_000),
            text_of(form, "name", longest=1_000),
            language=text_of(form, "language") or "zh",
        )
    except AccountRefused as refused:
        return _list(
            request,
            visitor,
            refusal=refused.wording,
            typed={"login": text_of(form, "login", 1_000), "name": text_of(form, "name", 1_000)},
        )
    return _once(request, visitor, made)


@router.get("/users/{login}")
def user(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)),
) -> Response:
    """One account, with what this administrator may do about it."""
    return _one(request, visitor, login)


@router.post("/users/{login}/reset", openapi_extra=form_fields(("reason",), reason=str))
def reset_password(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SYSTEM_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Give a new one-time password, shown this once."""
    try:
        made = _accounts(request).reset_password(visitor.actor, login, reason=text_of(form, "reason"))
    except (AccountRefused, NotAllowed) as refused:
        return _refused(request, visitor, login, refused)
    return _once(request, visitor, made)


@router.post(
    "/users/{login}/grant",
    openapi_extra=form_fields(("role",), role=_ROLE_NAMES, enterprises=str, districts=str, reason=str),
)
def grant_role(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SECURITY_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Give a role, with the enterprises or districts it is for."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.grant(
            visitor.actor,
            login,
            _role(form),
            enterprise_codes=_codes(form, "enterprises"),
            district_codes=_codes(form, "districts"),
            reason=text_of(form, "reason"),
        ),
    )


@router.post(
    "/users/{login}/revoke", openapi_extra=form_fields(("role", "reason"), role=_ROLE_NAMES, reason=str)
)
def revoke_role(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SECURITY_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Take a role away."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.revoke(visitor.actor, login, _role(form), reason=text_of(form, "reason")),
    )


@router.post("/users/{login}/lock", openapi_extra=form_fields(("reason",), reason=str))
def lock_user(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SECURITY_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Keep somebody out; their sessions end at once."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.lock(visitor.actor, login, reason=text_of(form, "reason")),
    )


@router.post("/users/{login}/unlock", openapi_extra=form_fields(reason=str))
def unlock_user(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SECURITY_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Let somebody in again."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.unlock(visitor.actor, login, reason=text_of(form, "reason")),
    )


@router.post("/users/{login}/second-factor", openapi_extra=form_fields(("reason",), reason=str))
def reset_second_factor(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SECURITY_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Lift the second factor of a lost telephone."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.reset_second_factor(visitor.actor, login, reason=text_of(form, "reason")),
    )


@router.post("/users/{login}/identity", openapi_extra=form_fields(identity=str, reason=str))
def link_identity(
    request: Request,
    login: str,
    visitor: Visitor = Depends(allowed(Role.SYSTEM_ADMIN)),
    form: FormData = Depends(posted),
) -> Response:
    """Say who this is at the city's identity provider."""
    return _after(
        request,
        visitor,
        login,
        lambda accounts: accounts.link_identity(
            visitor.actor,
            login,
            text_of(form, "identity", longest=1_000),
            reason=text_of(form, "reason"),
        ),
    )


def _list(
    request: Request,
    visitor: Visitor,
    *,
    q: str = "",
    refusal: Wording | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    accounts = _accounts(request)
    wanted = q.strip().casefold()
    everybody = accounts.all(visitor.actor)
    shown = [
        account
        for account in everybody
        if not wanted
        or wanted in account.login
        or wanted in account.display_name.casefold()
        or any(wanted in code.casefold() for code in account.enterprise_codes)
    ]
    return page(
        request,
        "users.html",
        visitor,
        status_code=200 if refusal is None else 422,
        accounts=shown,
        account_count=len(everybody),
        blocked=accounts.blocked_until(visitor.actor),
        q=q,
        refusal=refusal,
        typed=typed or {"login": "", "name": ""},
    )


def _one(request: Request, visitor: Visitor, login: str, refusal: Wording | None = None) -> Response:
    accounts = _accounts(request)
    try:
        account = accounts.get(login, visitor.actor)
    except UnknownAccount:
        raise Trouble(404) from None
    return page(
        request,
        "user.html",
        visitor,
        status_code=200 if refusal is None else 409,
        account=account,
        is_own=account.login == visitor.actor.name,
        blocked_until=accounts.blocked_until(visitor.actor).get(account.login),
        refusal=refusal,
        roles=tuple(Role),
        district_name=district_name,
    )


def _after(request: Request, visitor: Visitor, login: str, act: Callable[[Accounts], object]) -> Response:
    """The account's page after an act on it, or with why it was refused."""
    try:
        act(_accounts(request))
    except (AccountRefused, NotAllowed) as refused:
        return _refused(request, visitor, login, refused)
    return after_form(_address(login), notice="account_saved")


def _refused(
    request: Request, visitor: Visitor, login: str, refused: AccountRefused | NotAllowed
) -> Response:
    if isinstance(refused, UnknownAccount):
        raise Trouble(404) from None
    return _one(request, visitor, login, refused.wording)


def _once(request: Request, visitor: Visitor, made: NewAccount) -> Response:
    return page(request, "user_password.html", visitor, made=made)


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _role(form: FormData) -> Role:
    name = text_of(form, "role")
    if name not in _ROLE_NAMES:
        raise Trouble(400)
    return Role(name)


def _codes(form: FormData, name: str) -> list[str]:
    return [code for code in _SEPARATORS.split(text_of(form, name, longest=20_000)) if code]


def _address(login: str) -> str:
    from urllib.parse import quote

    return f"/users/{quote(login, safe='')}"
