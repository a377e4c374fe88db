"""The portal on a port: address, TLS, timeouts, who may speak for another address; started and stopped cleanly.

What it serves is in `app`. Without TLS it listens on this machine only: passwords and returns do not travel in the
clear. Another machine is reached through TLS here, or through a reverse proxy at one fixed address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipelines.findings import Wording

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8420

# Who opens a connection and does not say within this time what is wanted is let go (slow-header attacks).
_HEADER_SECONDS = 20
_KEEP_ALIVE_SECONDS = 15
_SHUTDOWN_SECONDS = 20
_MOST_CONNECTIONS = 500


class CannotServe(RuntimeError):
    """The portal cannot listen as asked; the wording says why and what to do. For the operator."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


@dataclass(frozen=True, slots=True)
class Address:
    """Where the portal listens.

    port         0: any free port
    certificate  PEM file with the chain; with `key`, the portal speaks TLS (1.2 or newer)
    proxy        address of the reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; empty: nobody's.
                 Without `certificate` nobody else is answered, this machine apart: what does not come through the proxy
                 comes in the clear
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
    proxy: str = ""


class _HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol that does not wait for ever for the head of a request, and may answer one peer only."""

    only_from = ""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.only_from and not _is_peer(transport, self.only_from):
            transport.close()
            return
        self._deadline = self.loop.call_later(_HEADER_SECONDS, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._disarm()
        self._deadline = self.loop.call_later(_HEADER_SECONDS, self._give_up)

    def on_headers_complete(self) -> None:
        self._disarm()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _is_peer(transport: asyncio.Transport, address: str) -> bool:
    """Whether somebody at this address is at the other end, or somebody on this machine."""
    peer = transport.get_extra_info("peername")
    try:
        other = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return False
    plain = other.ipv4_mapped if isinstance(other, ipaddress.IPv6Address) else None
    return (plain or other).is_loopback or (plain or other) == ipaddress.ip_address(address)


def serve(app: ASGIApp, address: Address, *, ready: Callable[[str], None]) -> None:
    """Serve until the process is told to end (SIGINT, SIGTERM); requests under way are finished first.

    `ready` is called with the portal's URL as soon as it can be reached. Raises CannotServe when the address,
    the certificate or the proxy cannot be used.
    """
    context = _tls(address)
    expect_safe(address)
    listener = _listen(address)
    server = uvicorn.Server(config_of(app, address, context))
    # uvicorn ends in good order and then sends itself the signal again; by then there is nothing left to end.
    previous = {number: signal.signal(number, _ended) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ready(url_of(address, listener.getsockname()[1]))
        server.run(sockets=[listener])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        listener.close()


def config_of(app: ASGIApp, address: Address, context: ssl.SSLContext | None = None) -> uvicorn.Config:
    """How uvicorn serves the portal, whoever opens the port."""
    only_from = address.proxy if context is None else ""
    return uvicorn.Config(
        app,
        http=cast(Any, type("HttpProtocol", (_HttpProtocol,), {"only_from": only_from})),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(address.proxy),
        forwarded_allow_ips=[address.proxy] if address.proxy else None,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )


def _ended(_number: int, _frame: FrameType | None) -> None:
    """The end that was asked for has come."""


def url_of(address: Address, port: int) -> str:
    """What to type into a browser."""
    scheme = "https" if address.certificate else "http"
    host = address.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound to  # nosec B104
        host = socket.gethostname()
    elif ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{host}:{port}/"


def expect_safe(address: Address) -> None:
    """Raise CannotServe for plain http that others could listen to, and for a proxy that is no fixed address."""
    if address.proxy:
        try:
            ipaddress.ip_address(address.proxy)
        except ValueError as error:
            raise CannotServe(
                Wording(
                    f"--proxy 的值“{address.proxy}”不是 IP 地址。请填写反向代理的固定 IP 地址，例如 10.1.2.3。",
                    f"--proxy {address.proxy!r} is no IP address. Give the fixed address of the reverse proxy, "
                    "such as 10.1.2.3.",
                )
            ) from error
    if address.certificate or address.proxy or _is_loopback(address.host):
        return
    raise CannotServe(
        Wording(
            f"地址 {address.host} 对其他机器开放，但没有证书，口令和报表会以明文传输。请用 --certificate 和 --key 指定证书，"
            "或者把门户放在反向代理之后并用 --proxy 指定其地址；只在本机使用时请用 127.0.0.1。",
            f"{address.host} can be reached from other machines, but there is no certificate: passwords and returns "
            "would travel in the clear. Give --certificate and --key, or put a reverse proxy before the portal and "
            "name its address with --proxy; on this machine alone, use 127.0.0.1.",
        )
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(address: Address) -> ssl.SSLContext | None:
    if address.certificate is None and address.key is None:
        return None
    if address.certificate is None or address.key is None:
        raise CannotServe(
            Wording(
                "证书和私钥要同时指定：--certificate 和 --key。",
                "A certificate needs its key: give both --certificate and --key.",
            )
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(address.certificate, address.key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise CannotServe(
            Wording(
                f"证书 {address.certificate} 或私钥 {address.key} 不能使用（{reason}）。两个文件都应为 PEM 格式、互相对应、"
                "可读取，且私钥不加口令。",
                f"The certificate {address.certificate} or its key {address.key} cannot be used ({reason}). Both must "
                "be PEM files that belong together and can be read, and the key must have no passphrase.",
            )
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a passphrase")


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotServe(
            Wording(
                f"不能在 {address.host} 的端口 {address.port} 上提供服务（{reason}）。可能已有一个门户在运行；"
                "请先停止它，或用 --port 换一个端口。",
                f"Cannot listen on {address.host}, port {address.port} ({reason}). Perhaps a portal is running "
                "already: stop it, or choose another port with --port.",
            )
        ) from error
