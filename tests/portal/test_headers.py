"""Every answer carries the headers that keep a browser to our policy, whatever is asked and however it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "report-uri /csp-report; report-to csp"
)
ALWAYS = {
    "content-security-policy": POLICY,
    "reporting-endpoints": 'csp="/csp-report"',
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
}


def without_what_varies(headers: Any) -> dict[str, str]:
    varying = {"content-length", "content-type", "x-request-id", "content-language", "date", "location"}
    return {name: value for name, value in headers.items() if name not in varying}


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        ("clerk", "/", 200),
        ("", "/", 303),
        ("clerk", "/nowhere", 404),
        ("official", "/submissions/0123456789abcdef0123", 403),
        ("", "/healthz", 200),
    ],
)
def test_a_page_an_error_and_a_redirect_carry_the_same_headers(
    browser: Callable[..., Any], person: str, path: str, status: int
) -> None:
    answer = browser(person).get(path)
    assert answer.status_code == status
    assert without_what_varies(answer.headers) == {**ALWAYS, "cache-control": "no-store"}


def test_a_method_that_a_page_does_not_know_is_answered_with_the_same_headers(
    browser: Callable[..., Any],
) -> None:
    answer = browser("clerk").client.delete("/")
    assert answer.status_code == 405
    assert without_what_varies(answer.headers) == {**ALWAYS, "cache-control": "no-store", "allow": "GET"}


def test_a_static_file_is_kept_for_a_year_under_an_address_that_changes_with_it(
    browser: Callable[..., Any], app: FastAPI
) -> None:
    address = app.state.frame.static.address("portal.css")
    answer = browser("").get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    digest = address.split("/")[2]
    assert browser("").get(address.replace(digest, "0" * 16)).status_code == 404


@pytest.mark.parametrize(
    "path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "vendor/../../app.py"]
)
def test_no_other_file_of_the_disk_is_given_out_as_static(browser: Callable[..., Any], path: str) -> None:
    assert browser("").get(f"/static/0000000000000000/{path}").status_code == 404


def test_over_tls_the_browser_is_told_to_stay_there_and_cookies_are_bound_to_the_host(app: FastAPI) -> None:
    secure = TestClient(app, base_url="https://localhost", follow_redirects=False)
    answer = secure.get("/nowhere")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-servtrade_guest=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_every_answer_has_a_number_of_its_own(browser: Callable[..., Any]) -> None:
    numbers = {browser("clerk").get("/").headers["x-request-id"] for _ in range(5)}
    assert len(numbers) == 5
    error = browser("clerk").get("/nowhere")
    assert error.headers["x-request-id"] in error.text


def test_a_number_that_a_client_sends_is_not_taken_over(browser: Callable[..., Any]) -> None:
    answer = browser("clerk").get("/", headers={"X-Request-ID": "forged\tline"})
    assert "forged" not in answer.headers["x-request-id"]
