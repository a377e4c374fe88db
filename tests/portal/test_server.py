"""The portal on a port: safe by default, told apart from others by a fixed proxy only, ended in good order."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from pipelines.portal import server
from pipelines.portal.server import Address, CannotServe, config_of, expect_safe, serve, url_of

HOUSE = Path(__file__).resolve().parents[2]
EVERYBODY = "0.0.0.0"  # noqa: S104 - asked for, never listened to


@pytest.mark.parametrize("host", [EVERYBODY, "::", "192.168.1.20", "portal.example"])
def test_plain_http_is_for_this_machine_only(host: str) -> None:
    with pytest.raises(CannotServe, match="--certificate"):
        expect_safe(Address(host=host))


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address(host="localhost"),
        Address(host="::1"),
        Address(host=EVERYBODY, proxy="10.1.2.3"),
        Address(host=EVERYBODY, certificate=Path("c.pem"), key=Path("k.pem")),
    ],
    ids=str,
)
def test_this_machine_tls_or_a_proxy_is_safe(address: Address) -> None:
    expect_safe(address)


@pytest.mark.parametrize("proxy", ["*", "nginx", "10.1.2.0/24", "10.1.2.3,10.1.2.4"])
def test_a_proxy_is_one_fixed_address(proxy: str) -> None:
    with pytest.raises(CannotServe, match="--proxy"):
        expect_safe(Address(host=EVERYBODY, proxy=proxy))


def test_the_address_is_told_as_one_types_it() -> None:
    assert url_of(Address(), 8420) == "http://127.0.0.1:8420/"
    assert url_of(Address(host="::1"), 1) == "http://[::1]:1/"
    assert (
        url_of(Address(host=EVERYBODY, certificate=Path("c")), 443) == f"https://{socket.gethostname()}:443/"
    )


async def nothing(scope: object, receive: object, send: object) -> None:
    raise AssertionError("nobody asks")


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotServe, match="--port"):
        serve(nothing, Address(port=taken.getsockname()[1]), ready=lambda url: None)


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="--key"):
        serve(nothing, Address(certificate=tmp_path / "c.pem"), ready=lambda url: None)


@pytest.mark.parametrize("content", [b"", b"no certificate at all"])
def test_a_certificate_that_is_none_is_told_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(content)
    key.write_bytes(content)
    with pytest.raises(CannotServe, match="PEM"):
        serve(nothing, Address(certificate=certificate, key=key), ready=lambda url: None)


# -- a running one ------------------------------------------------------------------------------------------------


class Running:
    """The portal's own way of serving, in a thread."""

    def __init__(self, app: object, address: Address, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_server((address.host, 0))
        self.port: int = self.socket.getsockname()[1]
        self.server = uvicorn.Server(config_of(app, address, context))  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Running:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()
        self.socket.close()


async def who_asks(scope: object, receive: object, send: object) -> None:
    """Answers with the address and the scheme that a page would see."""
    if scope["type"] == "lifespan":  # type: ignore[index]
        await receive()  # type: ignore[operator]
        await send({"type": "lifespan.startup.complete"})  # type: ignore[operator]
        await receive()  # type: ignore[operator]
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]
        return
    request = Request(scope)  # type: ignore[arg-type]
    answer = PlainTextResponse(f"{request.client.host} {request.url.scheme}")  # type: ignore[union-attr]
    await answer(scope, receive, send)  # type: ignore[arg-type]


FORWARDED = {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxy", "seen"),
    [
        ("", "127.0.0.1 http"),
        ("10.1.2.3", "127.0.0.1 http"),
        ("127.0.0.1", "10.9.9.9 https"),
    ],
    ids=["no proxy", "somebody else than the proxy", "the proxy"],
)
def test_only_the_proxy_named_at_the_start_may_speak_for_another(proxy: str, seen: str) -> None:
    with Running(who_asks, Address(proxy=proxy)) as running:
        answer = httpx.get(f"http://127.0.0.1:{running.port}/", headers=FORWARDED)
    assert answer.text == seen
    assert "server" not in answer.headers


class Peer:
    """The other end of a connection, as a transport knows it."""

    def __init__(self, address: object) -> None:
        self.address = address

    def get_extra_info(self, _name: str) -> object:
        return self.address


@pytest.mark.parametrize(
    ("peer", "is_answered"),
    [
        (("10.1.2.3", 40_000), True),
        (("::ffff:10.1.2.3", 40_000, 0, 0), True),
        (("127.0.0.1", 40_000), True),
        (("::1", 40_000, 0, 0), True),
        (("10.1.2.4", 40_000), False),
        (("fe80::1%eth0", 40_000, 0, 2), False),
        (None, False),
        ("", False),
    ],
    ids=str,
)
def test_without_tls_behind_a_proxy_nobody_but_the_proxy_and_this_machine_is_answered(
    peer: object, is_answered: bool
) -> None:
    assert server._is_peer(Peer(peer), "10.1.2.3") is is_answered  # type: ignore[arg-type]


def test_who_comes_past_the_proxy_is_let_go_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_is_peer", lambda *_: False)  # as if this were another machine
    with Running(who_asks, Address(proxy="10.1.2.3")) as running, pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{running.port}/", headers=FORWARDED)
    with Running(who_asks, Address()) as running:
        assert httpx.get(f"http://127.0.0.1:{running.port}/").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["nothing", "half a head"])
def test_who_opens_a_connection_and_does_not_come_to_the_point_is_let_go(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(server, "_HEADER_SECONDS", 0.3)
    with (
        Running(who_asks, Address()) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as slow,
    ):
        slow.sendall(sent)
        began = time.monotonic()
        assert slow.recv(100) == b""
        assert time.monotonic() - began < 5
        # Others are served meanwhile and after.
        assert httpx.get(f"http://127.0.0.1:{running.port}/").status_code == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this test for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "c.pem", folder / "k.pem"


def started(data: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """`servtrade serve` in a process of its own, when it says that it can be reached; its address."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pipelines.cli.main", "--data", str(data), "serve"),
            *("--port", "0", "--json", *options),
        ],
        cwd=HOUSE,
        env={**os.environ, "SERVTRADE_LEDGER_URL": "", "SERVTRADE_LANG": "en", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith("}"):
            return process, json.loads(told)["url"]
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_serve_tells_its_address_over_tls_and_ends_in_good_order(
    tmp_path: Path, certificate: tuple[Path, Path], number: signal.Signals
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    process, url = started(data, "--certificate", str(certificate[0]), "--key", str(certificate[1]))
    try:
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        with httpx.Client(
            verify=trusting, base_url=url.replace("127.0.0.1", "localhost"), follow_redirects=False
        ) as client:
            assert client.get("/healthz").text == "ok\n"
            page = client.get("/sign-in")
            assert page.status_code == 200
            assert page.headers["strict-transport-security"] == "max-age=31536000"
            assert "__Host-servtrade_guest" in page.headers["set-cookie"]
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "servtrade users init" in said  # nobody can sign in yet, and it says so
    assert "Traceback" not in said
    log = (data / "logs" / "portal.jsonl").read_text(encoding="utf-8")
    assert '"route": "/sign-in"' in log


def test_serve_without_a_data_folder_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pipelines.cli.main",
            "--data",
            str(tmp_path / "none"),
            "serve",
            "--lang",
            "en",
        ],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 4
    assert "servtrade init" in done.stderr
    assert not (tmp_path / "none").exists()


def test_serve_open_to_others_without_tls_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pipelines.cli.main", "--data", str(tmp_path), "serve"),
            *("--host", EVERYBODY, "--lang", "en"),
        ],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 4
    assert "--certificate" in done.stderr
