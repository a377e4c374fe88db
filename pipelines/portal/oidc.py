"""Signing in through the city's identity provider (OpenID Connect), where one is configured.

Authorization code with PKCE, state and nonce. The provider says who somebody is; which account that is, and what it may
do, the ledger says. Needs the extra `oidc` (Authlib).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from pipelines.findings import Wording
from pipelines.settings import Settings

_SECONDS_TO_SIGN_IN = 600
_MOST_WAITING = 1_000
_HTTP_SECONDS = 5.0
_LEEWAY_SECONDS = 60
# Signatures with the provider's own key. HS256 would take our shared secret, `none` anything at all.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]


class OidcRefused(RuntimeError):
    """The provider did not vouch for anybody; the wording is for the person, `why` for the log."""

    def __init__(self, why: str) -> None:
        self.wording = Wording(
            "统一身份认证没有成功。请重试，或改用登录名和密码；仍不能登录时，请与商务主管部门联系。",
            "The city's sign-in did not succeed. Please try again, or use login and password; if that does not help, ask "
            "the bureau.",
        )
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class _Waiting:
    nonce: str
    verifier: str
    redirect_address: str
    until: float


class IdentityProvider:
    """The provider as configured. Thread-safe; what is under way is lost with the process, and then begun anew."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def is_configured(self) -> bool:
        """Whether there is a provider, and what it takes to speak to one is installed."""
        settings = self._settings
        return bool(settings.oidc_issuer and settings.oidc_client_id) and find_spec("authlib") is not None

    def begin(self, redirect_address: str) -> tuple[str, str]:
        """Where to send the browser, and the state that its cookie has to bring back. Raises OidcRefused."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client(redirect_address) as client:
            address, _ = client.create_authorization_url(
                self._endpoint(self._metadata(client), "authorization_endpoint"),
                state=state,
                code_verifier=verifier,
                nonce=nonce,
            )
        with self._lock:
            self._waiting[state] = _Waiting(
                nonce, verifier, redirect_address, time.monotonic() + _SECONDS_TO_SIGN_IN
            )
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
        return str(address), state

    def finish(self, code: str, state: str, state_of_cookie: str) -> str:
        """Who came back, as the configured claim names them. Raises OidcRefused for anything out of order."""
        with self._lock:
            waiting = self._waiting.pop(state, None)
        if waiting is None or not secrets.compare_digest(state.encode(), state_of_cookie.encode()):
            raise OidcRefused("state")
        if waiting.until < time.monotonic():
            raise OidcRefused("late")
        with self._client(waiting.redirect_address) as client:
            metadata = self._metadata(client)
            token = self._asked(
                lambda: client.fetch_token(
                    self._endpoint(metadata, "token_endpoint"),
                    code=code,
                    code_verifier=waiting.verifier,
                    grant_type="authorization_code",
                )
            )
            keys = self._fetched(client, self._endpoint(metadata, "jwks_uri"))
        return self._identity(token, keys, waiting.nonce)

    def _identity(self, token: Any, keys: Any, nonce: str) -> str:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._settings.oidc_issuer},
                    "aud": {"essential": True, "value": self._settings.oidc_client_id},
                },
                {
                    "nonce": nonce,
                    "client_id": self._settings.oidc_client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise OidcRefused(f"token: {type(error).__name__}") from error
        identity = claims.get(self._settings.oidc_claim)
        if not isinstance(identity, str) or not identity.strip():
            raise OidcRefused("claim")
        return identity.strip()

    # -- speaking to the provider ------------------------------------------------------------------------------

    def _client(self, redirect_address: str) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        settings = self._settings
        secret = None
        if settings.oidc_secret_file is not None:
            try:
                secret = settings.oidc_secret_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise OidcRefused("secret file") from error
        return OAuth2Client(
            settings.oidc_client_id,
            secret or None,
            scope="openid profile",
            redirect_uri=redirect_address,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_HTTP_SECONDS,
            # The provider is on the intranet: no proxy of the surroundings hears of it.
            trust_env=False,
        )

    def _metadata(self, client: Any) -> dict[str, Any]:
        issuer = self._settings.oidc_issuer
        metadata = self._fetched(client, f"{self._checked(issuer)}/.well-known/openid-configuration")
        if not isinstance(metadata, dict) or str(metadata.get("issuer", "")).rstrip("/") != issuer:
            raise OidcRefused("issuer")
        return metadata

    def _endpoint(self, metadata: dict[str, Any], name: str) -> str:
        address = metadata.get(name)
        if not isinstance(address, str):
            raise OidcRefused(name)
        return self._checked(address)

    @staticmethod
    def _checked(address: str) -> str:
        """An address that may be spoken to: TLS, or this machine itself."""
        parts = urlsplit(address)
        if parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        ):
            return address
        raise OidcRefused("address without TLS")

    def _fetched(self, client: Any, address: str) -> Any:
        def fetch() -> Any:
            answer = client.request("GET", address, withhold_token=True)
            answer.raise_for_status()
            return answer.json()

        return self._asked(fetch)

    @staticmethod
    def _asked(question: Any) -> Any:
        import httpx
        from authlib.common.errors import AuthlibBaseError

        try:
            return question()
        except (httpx.HTTPError, AuthlibBaseError, ValueError) as error:
            raise OidcRefused(f"provider: {type(error).__name__}") from error
