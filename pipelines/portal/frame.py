"""How a page is made: template, wording, who looks at it, what stands around it.

Templates escape everything and refuse names they do not know. What a page says is in words/*.yaml; what it shows
comes from the page's own module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipelines.findings import Wording
from pipelines.ledger.actors import Role
from pipelines.periods import Month, listed_months, period_name
from pipelines.portal.access import Visitor, guest_cookie_name, set_cookie
from pipelines.portal.language import (
    Words,
    as_text,
    counted,
    day,
    day_name,
    file_size,
    html_language,
    moment,
    said,
    short_moment,
)
from pipelines.portal.static_files import StaticFiles
from pipelines.validation.messages import DESK_REMARKS

TEMPLATES_DIR = Path(__file__).parent / "templates"
_HTMX = "vendor/htmx.min.js"
_BAD_NOTICES = frozenset({"notice.not_received", "notice.not_received_yet"})


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry of the navigation: where it leads, its wording, who sees it (empty: who has signed in), its place.

    Seeing an entry and being let in are two things; the route decides the second.
    """

    path: str
    key: str
    roles: frozenset[Role] = frozenset()
    place: int = 50


class Frame:
    """Templates, wording, static files and navigation of one portal."""

    def __init__(self, navigation: Sequence[NavigationItem] = ()) -> None:
        self.words = Words()
        self.static = StaticFiles()
        self.navigation = sorted(navigation, key=lambda item: item.place)
        self.has_htmx = _HTMX in self.static
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES_DIR),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            as_text=as_text,
            moment=moment,
            day=day,
            counted=counted,
            file_size=file_size,
            html_language=html_language,
        )
        self._environment.globals.update(
            static=self.static.address, version=_version(), Role=Role, DESK_REMARKS=DESK_REMARKS
        )

    def items_for(self, visitor: Visitor) -> list[NavigationItem]:
        """The entries of the navigation that this visitor sees, in their order."""
        return [
            item
            for item in self.navigation
            if visitor.is_signed_in and (not item.roles or visitor.has(*item.roles))
        ]

    def render(self, request: Request, template: str, visitor: Visitor, **context: Any) -> str:
        """The template filled in for this visitor."""
        t = self.words.translator(visitor.language)

        def t_of(family: str, value: object, otherwise: str | None = None, **values: object) -> str:
            key = f"{family}_{value}"
            return otherwise if otherwise is not None and key not in self.words else t(key, **values)

        today: date = request.app.state.today()

        def months_to_choose(chosen: object, back: int = 36, ahead: int = 1) -> list[Month]:
            """The months a form offers, the newest first; the one that is chosen among them."""
            months = {Month.of(today).plus(-age) for age in range(-ahead, back)}
            if chosen:
                months.add(Month.parse(str(chosen)))
            return sorted(months, reverse=True)

        def when(value: datetime | None) -> str:
            return short_moment(value, visitor.language, today)

        notice_key = f"notice.{request.query_params.get('said', '')}"
        return self._environment.get_template(template).render(
            t=t,
            t_of=t_of,
            say=lambda wording: said(wording, visitor.language),
            period_name=lambda value: period_name(value, visitor.language),
            listed_months=lambda months: listed_months(months, visitor.language),
            day_name=lambda value: day_name(value, visitor.language),
            when=when,
            months_to_choose=months_to_choose,
            person=request.app.state.names.of,
            visitor=visitor,
            language=visitor.language,
            navigation=self.items_for(visitor),
            here=request.url.path,
            here_with_query=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            request_id=request.state.request_id,
            htmx=self.static.address(_HTMX) if self.has_htmx else "",
            notice=t(notice_key) if notice_key in self.words else "",
            notice_is_bad=notice_key in _BAD_NOTICES,
            **context,
        )


def frame_of(request: Request) -> Frame:
    """The frame of the portal that answers this request."""
    frame: Frame = request.app.state.frame
    return frame


def page(
    request: Request,
    template: str,
    visitor: Visitor,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page for this visitor. `context` is what the template shows; everything in it is escaped.

    A query `?said=<name>` shows the sentence `notice.<name>` at the top, for the page after a form.
    """
    content = frame_of(request).render(request, template, visitor, **context)
    response = HTMLResponse(content, status_code=status_code, headers=dict(headers or {}))
    response.headers["Content-Language"] = html_language(visitor.language)
    if visitor.new_guest_token:
        set_cookie(response, request, guest_cookie_name(request), visitor.new_guest_token)
    return response


def after_form(path: str, *, notice: str = "") -> Response:
    """Where the browser goes after a form was taken: a page of ours, so that reloading sends nothing again."""
    separator = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{separator}said={notice}" if notice else path, status_code=303)


def wording(request: Request, key: str, **values: object) -> Wording:
    """A sentence of the catalogue in both languages, filled in."""
    both = frame_of(request).words.wording(key)
    return Wording(both.zh.format(**values), both.en.format(**values)) if values else both


def _version() -> str:
    try:
        return version("service-trade-monitor")
    except PackageNotFoundError:
        return ""
