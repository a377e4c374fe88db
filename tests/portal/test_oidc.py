"""Signing in through an identity provider: a small one on this machine, which also misbehaves in every known way."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from portal_bureau import Browser

from pipelines.ledger import ledger_of
from pipelines.ledger.actors import Role
from pipelines.ledger.profiles import PasswordCost
from pipelines.portal.app import create_app
from pipelines.settings import Settings
from tests.ledger.people import Office

CLIENT, SECRET = "servtrade", "shared secret of portal and provider 0123456789"
IDENTITY = "9f2c-unified-id"
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("one", "two"))


@dataclass
class Provider:
    """An identity provider: what it was asked, and how its next answer is to be wrong."""

    address: str = ""
    sent: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)  # of the last authorization
    change_claims: Callable[[dict[str, Any]], None] = lambda claims: None
    sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "one"}, claims, KEY
    )
    issuer: str = ""

    def authorize(self, address: str) -> str:
        """What the person does at the provider; gives the code."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return "code-1"

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer or self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
            }
        if path == "/keys":
            return 200, {"keys": [KEY.as_dict(private=False)]}
        if path == "/token":
            self.sent.append((path, form, authorization))
            challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
            if form["code"] != "code-1" or challenge.decode() != self.asked["code_challenge"]:
                return 400, {"error": "invalid_grant"}
            now = int(time.time())
            claims = {
                "iss": self.address,
                "sub": IDENTITY,
                "aud": CLIENT,
                "iat": now,
                "exp": now + 300,
                "nonce": self.asked["nonce"],
            }
            self.change_claims(claims)
            return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}
        return 404, {}


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._give(*one.answer(urlsplit(self.path).path, {}, ""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._give(*one.answer(self.path, form, self.headers.get("authorization", "")))

        def _give(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests say what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, provider: Provider) -> Settings:
    data = tmp_path / "data"
    secret = tmp_path / "oidc.secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    return Settings(
        data_dir=data,
        ledger_url=f"sqlite:///{data / 'ledger.sqlite'}",
        oidc_issuer=provider.address,
        oidc_client_id=CLIENT,
        oidc_secret_file=secret,
        reader_count=1,
    )


@pytest.fixture
def office(settings: Settings, quick_passwords: PasswordCost) -> Iterator[Office]:
    with ledger_of(settings) as ledger:
        opened = Office(ledger).open()
        opened.hire("li", Role.CLERK)
        opened.accounts.link_identity(opened.actor("sysadmin"), "li", IDENTITY)
        opened.accounts.unlock(opened.actor("secadmin"), "li", reason="已与本人核实")
        yield opened


@pytest.fixture
def person(office: Office, settings: Settings) -> Browser:
    return Browser(create_app(settings, office.ledger), "")


def go(person: Browser, provider: Provider, **changes: str) -> Any:
    """To the provider and back; `changes` are to what comes back."""
    sent = person.get("/sign-in/oidc")
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(f"{provider.address}/authorize?")
    code = provider.authorize(sent.headers["location"])
    back = {"code": code, "state": provider.asked["state"], **changes}
    return person.client.get(
        "/sign-in/oidc/back", params={name: value for name, value in back.items() if value}
    )


def test_whom_the_provider_vouches_for_comes_in_as_the_linked_account(
    person: Browser, provider: Provider, office: Office
) -> None:
    assert "统一身份认证登录" in person.get("/sign-in").text
    answer = go(person, provider)
    assert answer.status_code == 200
    assert answer.headers["refresh"] == "0; url=/"
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("servtrade=")]
    assert "samesite=strict" in cookie.lower()
    assert "li 先生" in person.get("/account").text
    assert office.told("session.started")[-1] == ("li", "li", {"method": "oidc"})


def test_code_verifier_nonce_and_secret_are_used(person: Browser, provider: Provider) -> None:
    go(person, provider)
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.asked["redirect_uri"] == "http://localhost/sign-in/oidc/back"
    assert len(provider.asked["nonce"]) >= 40
    [(_, form, authorization)] = provider.sent
    assert form["grant_type"] == "authorization_code"
    assert authorization.startswith("Basic ")
    assert SECRET not in json.dumps(provider.asked)


def _set(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(values)


WRONG_CLAIMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "another nonce": _set(nonce="0" * 43),
    "no nonce": lambda claims: claims.pop("nonce") and None,
    "for somebody else": _set(aud="another-portal"),
    "of somebody else": _set(iss="https://elsewhere.invalid"),
    "expired": _set(exp=1, iat=0),
    "no subject": lambda claims: claims.pop("sub") and None,
    "an empty subject": _set(sub=" "),
    "a subject that is no text": _set(sub=7),
    "somebody without an account": _set(sub="stranger"),
    "an account's login instead of its identity": _set(sub="li"),
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_a_token_with_wrong_claims_lets_nobody_in(person: Browser, provider: Provider, wrong: str) -> None:
    provider.change_claims = WRONG_CLAIMS[wrong]
    answer = go(person, provider)
    assert (answer.status_code, "没有成功" in answer.text) == (401, True)
    assert person.get("/account").status_code == 303


WRONG_SIGNATURES: dict[str, Callable[[dict[str, Any]], str]] = {
    "another key of the same name": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "one"}, claims, OTHER_KEY
    ),
    "a key that is not published": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "two"}, claims, OTHER_KEY
    ),
    "the shared secret": lambda claims: jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET)),
    "nothing": lambda claims: ".".join(
        [
            *(
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
                for part in ({"alg": "none"}, claims)
            ),
            "",
        ]
    ),
    "no token at all": lambda claims: "not.a.token",
    "an empty text": lambda claims: "",
}


@pytest.mark.parametrize("wrong", WRONG_SIGNATURES)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    person: Browser, provider: Provider, wrong: str
) -> None:
    provider.sign = WRONG_SIGNATURES[wrong]
    assert go(person, provider).status_code == 401
    assert person.get("/account").status_code == 303


@pytest.mark.parametrize(
    "changes",
    [{"state": "x" * 43}, {"state": ""}, {"code": ""}, {"code": "other"}, {"error": "access_denied"}],
    ids=str,
)
def test_what_comes_back_otherwise_than_it_went_lets_nobody_in(
    person: Browser, provider: Provider, changes: dict[str, str]
) -> None:
    assert go(person, provider, **changes).status_code == 401
    assert person.get("/account").status_code == 303


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(
    person: Browser, provider: Provider, office: Office, settings: Settings
) -> None:
    sent = person.get("/sign-in/oidc")
    code = provider.authorize(sent.headers["location"])
    back = f"/sign-in/oidc/back?code={code}&state={provider.asked['state']}"
    victim = Browser(person.client.app, "")  # type: ignore[arg-type]
    assert victim.get(back).status_code == 401  # somebody was sent the attacker's link
    assert victim.get("/account").status_code == 303
    assert person.get(back).status_code == 401  # and with that it is used up
    go(person, provider)
    assert person.get(back).status_code == 401


def test_an_answer_that_takes_too_long_is_no_answer(
    person: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = person.get("/sign-in/oidc")
    code = provider.authorize(sent.headers["location"])
    later = time.monotonic() + 601
    monkeypatch.setattr("pipelines.portal.oidc.time.monotonic", lambda: later)
    assert person.get(f"/sign-in/oidc/back?code={code}&state={provider.asked['state']}").status_code == 401


def test_a_provider_that_is_another_or_does_not_answer_is_told_and_passwords_still_work(
    person: Browser, provider: Provider, office: Office, settings: Settings
) -> None:
    provider.issuer = "https://elsewhere.invalid"
    answer = person.get("/sign-in/oidc")
    assert (answer.status_code, "没有成功" in answer.text) == (401, True)
    down = Browser(create_app(replace(settings, oidc_issuer="http://127.0.0.1:9"), office.ledger), "")
    assert down.get("/sign-in/oidc").status_code == 401
    form = {"login": "li", "password": office.passwords["li"]}
    assert down.post("/sign-in", form, token=down.token_of("/sign-in")).status_code == 303


def test_a_provider_without_tls_elsewhere_is_not_spoken_to(office: Office, settings: Settings) -> None:
    one = Browser(create_app(replace(settings, oidc_issuer="http://idp.example.invalid"), office.ledger), "")
    assert one.get("/sign-in/oidc").status_code == 401


def test_without_a_provider_there_is_no_button_and_nothing_to_press(
    office: Office, settings: Settings
) -> None:
    one = Browser(create_app(replace(settings, oidc_issuer=""), office.ledger), "")
    assert "统一身份认证登录" not in one.get("/sign-in").text
    assert one.get("/sign-in/oidc").headers["location"] == "/sign-in"
    assert one.get("/sign-in/oidc/back?code=x&state=y").status_code == 401


def test_a_secret_that_cannot_be_read_is_no_fault_of_the_person(
    office: Office, settings: Settings, tmp_path: Path
) -> None:
    lost = replace(settings, oidc_secret_file=tmp_path / "gone")
    assert Browser(create_app(lost, office.ledger), "").get("/sign-in/oidc").status_code == 401


def test_those_who_never_come_back_do_not_fill_the_memory(
    person: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.portal.oidc._MOST_WAITING", 3)
    first = person.get("/sign-in/oidc")
    code = provider.authorize(first.headers["location"])
    state = provider.asked["state"]
    for _ in range(3):
        person.get("/sign-in/oidc")
    assert person.get(f"/sign-in/oidc/back?code={code}&state={state}").status_code == 401
    assert go(person, provider).status_code == 200
