"""Two reporters and a clerk, every form and every address, odd values: no fault, and never a word about the other.

Cases are made by schemathesis from what the routes declare; the same ones each time. `openapi.json` is for this test
only, the portal shows none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal_bureau import (
    OUR_NAME,
    OURS,
    THEIR_NAME,
    THEIRS,
    Bureau,
    file_returns,
    open_bureau,
)
from schemathesis import GenerationMode

from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.profiles import PROFILES, PasswordCost
from pipelines.portal.access import _csrf_token
from pipelines.portal.app import _own, create_app
from pipelines.portal.pages import ROUTERS, uploads

CHOSEN = "purple mango radio 5"
EXAMPLES = 6
_numbers = count(1)


def _described() -> dict[str, Any]:
    app = FastAPI()
    for router in (_own, *ROUTERS):
        app.include_router(router)
    return app.openapi()


DESCRIBED = _described()
OPERATIONS = [(method.upper(), path) for path, methods in DESCRIBED["paths"].items() for method in methods]
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)


@dataclass
class TwoReporters:
    """A portal with the real accounts, and what each of two reporters must never read."""

    app: FastAPI
    bureau: Bureau
    known: list[str]  # ids and codes that exist: a guesser's best guesses
    secrets: dict[str, list[str]]  # by login: what belongs to the other

    def client(self, login: str) -> tuple[TestClient, str]:
        """A new session, because the last case may have ended it; and the token of its forms."""
        token = self.bureau.ledger.accounts.sign_in(
            login, CHOSEN, f"10.0.0.{next(_numbers) % 250}"
        ).session_token
        assert token
        client = TestClient(self.app, base_url="http://localhost", follow_redirects=False)
        client.cookies.set("servtrade", token)
        return client, _csrf_token(token)


@pytest.fixture(scope="module")
def reporters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoReporters]:
    quick = replace(PROFILES["asvs"], password_cost=PasswordCost(memory_kib=64, passes=1))
    with (
        pytest.MonkeyPatch.context() as patch,
        open_bureau(tmp_path_factory.mktemp("fuzzed"), profile=quick) as bureau,
    ):
        patch.setattr(uploads, "_WAIT_SECONDS", 0.0)  # nobody works the queue here
        filed = file_returns(bureau)
        operator = Actor.operator("test")
        for login, role, codes in (
            ("wang", Role.REPORTER, [OURS]),
            ("zhao", Role.REPORTER, [THEIRS]),
            ("li", Role.CLERK, []),
        ):
            made = bureau.ledger.accounts.create(operator, login, login.title())
            bureau.ledger.accounts.grant(operator, login, role, enterprise_codes=codes)
            first = bureau.ledger.accounts.sign_in(login, made.one_time_password, "10.1.0.1")
            assert first.session_token
            bureau.ledger.accounts.change_password(
                first.session_token, made.one_time_password, CHOSEN, "10.1.0.1"
            )
        ours = [filed.accepted, filed.queried, filed.rejected]
        yield TwoReporters(
            create_app(bureau.settings, bureau.ledger),
            bureau,
            [*(one.submission_id for one in (*ours, filed.theirs)), OURS, THEIRS, "2020-01", "H2", "wang"],
            {
                "wang": [THEIR_NAME, filed.theirs.sha256],
                "zhao": [OUR_NAME, *(one.sha256 for one in ours)],
                "li": [],  # sees both; gets at the pages that reporters do not
            },
        )


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_nothing_sent_to_this_address_is_a_fault_or_tells_of_the_other(
    reporters: TwoReporters, method: str, path: str
) -> None:
    operation = SCHEMA[path][method]

    @given(data=st.data())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def attempt(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for login, (client, form_token) in clients.items():
            answer = sent(case, client, form_token, data, reporters.known)
            assert answer.status_code < 500, answer.text[:500]
            assert "Traceback" not in answer.text
            for secret in reporters.secrets[login]:
                assert secret not in answer.text

    clients = {login: reporters.client(login) for login in reporters.secrets}
    attempt()


def sent(
    case: Any, client: TestClient, form_token: str, data: st.DataObject, known: list[str]
) -> httpx.Response:
    """Send a case as a browser of the portal would, with the token and, now and then, a value that exists."""
    odd_or_known = st.sampled_from([None, *known])

    def value(given_value: Any) -> Any:
        return data.draw(odd_or_known) or given_value

    path = case.operation.path
    for name, given_value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value(given_value)), safe=""))
    query = {
        name: value(given_value)
        for name, given_value in (case.query or {}).items()
        if isinstance(given_value, str | int | float | bool)
    }
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": form_token}
    more: dict[str, Any] = {}
    if case.method != "GET":
        body = case.body
        if isinstance(body, dict):
            fields = {
                str(name): value(json.dumps(one) if isinstance(one, dict | list) else str(one))
                for name, one in body.items()
                if not isinstance(one, bytes) and name != "files"
            }
            if case.media_type == "multipart/form-data":
                content = str(body.get("files", "")).encode("utf-8", "replace")
                more = {"data": fields, "files": [("files", ("x.xlsx", content, "application/octet-stream"))]}
            else:
                more = {"data": fields}
        else:
            more = {"content": str(body).encode("utf-8", "replace")}
            headers["Content-Type"] = case.media_type or "application/x-www-form-urlencoded"
    return client.request(case.method, path, params=query, headers=headers, **more)
