"""What every answer carries so that a browser keeps to it: policy, caching, request id; and how big a question may be.

Which page says what is elsewhere. Written as plain ASGI: it also covers static files and answers to errors.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

CSP_REPORT_PATH = "/csp-report"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    f"report-uri {CSP_REPORT_PATH}; report-to csp"
)
# A file that somebody else filled in is never a page of ours, whatever a browser makes of it.
DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

_FOR_ALL = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Reporting-Endpoints": f'csp="{CSP_REPORT_PATH}"',
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer browsers say "Origin: null" of our own forms; the check of where a form came from needs it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
    "Cache-Control": "no-store",
}
# One year; only over TLS, where a browser heeds it.
_STRICT_TRANSPORT = "max-age=31536000"

ForFault = Callable[[Request, Exception], Awaitable[Response]]


class SafeAnswers:
    """Gives each request an id, each answer its headers, and each fault of ours a page without its details.

    `on_fault` writes the fault to the log and gives the page. A fault after the answer has begun is logged, and
    the connection is broken off: half a page must not look like a whole one.
    """

    def __init__(self, app: ASGIApp, on_fault: ForFault) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _FOR_ALL.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = request_id
                if scope.get("scheme") == "https":
                    headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as fault:
            page = await self._page_of(Request(scope, receive), fault, request_id)
            if has_begun:
                raise
            await page(scope, receive, send_with_headers)
        finally:
            form = scope["state"].get("form")
            if form is not None:  # files that were handed in stand in temporary files until now
                await form.close()

    async def _page_of(self, request: Request, fault: Exception, request_id: str) -> Response:
        """The page of a fault; where that cannot be made either, its bare minimum."""
        try:
            return await self._on_fault(request, fault)
        except Exception as another:  # noqa: BLE001 - the last resort: whatever it is, the person gets an answer
            _LOG.error("the page of fault %s could not be made: %s", request_id, type(another).__name__)
            return PlainTextResponse(
                f"系统出现故障，请稍后重试。编号 {request_id}\n"
                f"Something went wrong on our side; please try again later. Number {request_id}\n",
                status_code=500,
            )
