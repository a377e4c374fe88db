"""Handing in files over HTTP: taken safely, judged while one watches, refused early where there is too much."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from filed_by_hand import Line, a_workbook
from portal_bureau import OUR_NAME, OURS, THEIR_NAME, THEIRS, Browser, Bureau, SignedInPeople

from pipelines.portal.app import create_app
from pipelines.reception.uploads import UploadDesk

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def desk(bureau: Bureau) -> Iterator[UploadDesk]:
    """A desk that works its queue while these tests run."""
    with UploadDesk(bureau.settings, bureau.ledger) as working:
        yield working


@pytest.fixture(scope="module")
def open_app(bureau: Bureau, desk: UploadDesk, people: SignedInPeople) -> FastAPI:
    return create_app(bureau.settings, bureau.ledger, accounts=people, uploads=desk)


@pytest.fixture
def at_the_desk(open_app: FastAPI) -> Callable[[str], Browser]:
    return lambda person: Browser(open_app, person)


def sent(*files: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("files", (name, content, WORKBOOK)) for name, content in files]


def until_done(browser: Browser, location: str) -> str:
    """Ask for the page of a batch until every file is done; the page."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        page = browser.get(location).text
        if "hx-trigger" not in page:
            return page
        time.sleep(0.1)
    raise AssertionError("the batch was not done within 30 s")


def test_one_file_leads_straight_to_its_verdict(at_the_desk: Callable[[str], Browser]) -> None:
    one = at_the_desk("ours")
    answer = one.post(
        "/uploads", files=sent(("三月.xlsx", a_workbook(OURS, "2020-03", [LINE], name=OUR_NAME)))
    )
    assert answer.status_code == 303
    location = answer.headers["location"]
    if "/uploads/" in location:  # a slow machine: the verdict arrives on the page of the batch
        until_done(one, location.partition("?")[0])
        location = one.get(location).headers["location"]
    assert re.fullmatch(r"/submissions/[0-9a-f]{20}", location)
    page = one.get(location).text
    assert "2020-03" in page
    assert OUR_NAME in page


def test_several_files_and_a_zip_are_listed_with_what_needs_a_person_first(
    at_the_desk: Callable[[str], Browser],
) -> None:
    clerk = at_the_desk("clerk")
    good = a_workbook(OURS, "2020-04", [replace(LINE, export_ytd=240, imports_ytd=6)], name=OUR_NAME)
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("洪山/物流.xlsx", a_workbook(THEIRS, "2020-04", [LINE], name=THEIR_NAME))
        archive.writestr("洪山/坏.xlsx", b"no workbook at all")
        archive.writestr("__MACOSX/._x", b"debris")
    answer = clerk.post(
        "/uploads",
        files=sent(("四月.xlsx", good), ("四月又一份.xlsx", good), ("微信.zip", bundle.getvalue())),
    )
    location = answer.headers["location"]
    assert re.fullmatch(r"/uploads/[\w-]{20,}", location)
    page = until_done(clerk, location)
    names = re.findall(r'<tr id="file-\d+">\s*<th scope="row">(?:<a [^>]*>)?([^<]+)', page)
    assert [name.strip() for name in names] == ["坏.xlsx", "四月又一份.xlsx", "物流.xlsx", "四月.xlsx"] or (
        names[0].strip() == "坏.xlsx" and len(names) == 4
    )
    assert "微信.zip/洪山" in page
    problems = clerk.get(f"{location}?show=problems").text
    assert "坏.xlsx" in problems
    assert len(re.findall(r'<tr id="file-', problems)) < 4


def test_a_batch_survives_leaving_and_is_nobody_elses(at_the_desk: Callable[[str], Browser]) -> None:
    ours = at_the_desk("ours")
    first, second = (a_workbook(OURS, "2020-05", [LINE], name=OUR_NAME, note=note) for note in ("一", "二"))
    location = ours.post("/uploads", files=sent(("a.xlsx", first), ("b.xlsx", second))).headers["location"]
    until_done(at_the_desk("ours"), location)  # a new browser of the same person
    for path in (location, f"{location}/rows"):
        assert at_the_desk("theirs").get(path).status_code == 404
        assert at_the_desk("our_district").get(path).status_code == 404
        assert at_the_desk("clerk").get(path).status_code == 200


def test_nothing_new_is_answered_with_nothing(at_the_desk: Callable[[str], Browser]) -> None:
    ours = at_the_desk("ours")
    files = [(f"{n}.xlsx", f"not a workbook {n}".encode()) for n in range(2)]
    location = ours.post("/uploads", files=sent(*files)).headers["location"]
    until_done(ours, location)
    assert ours.get(f"{location}/rows?seen=0.0.0").status_code == 200
    assert ours.get(f"{location}/rows?seen=2.0.1").status_code == 204


def test_a_return_of_another_enterprise_is_refused_and_says_so(
    at_the_desk: Callable[[str], Browser], bureau: Bureau
) -> None:
    ours = at_the_desk("ours")
    stranger = a_workbook(THEIRS, "2020-06", [LINE], name=THEIR_NAME, note="filed by somebody else")
    before = len(bureau.ledger.submissions())
    location = ours.post("/uploads", files=sent(("x.xlsx", stranger))).headers["location"]
    page = until_done(ours, location.partition("?")[0])
    assert "G10" in page
    assert len(bureau.ledger.submissions()) == before


def test_a_zero_return_is_one_click(at_the_desk: Callable[[str], Browser], bureau: Bureau) -> None:
    ours = at_the_desk("ours")
    answer = ours.post("/zero-returns", {"enterprise_code": OURS, "month": "2020-07"})
    assert answer.status_code == 303
    location = answer.headers["location"]
    if location.startswith("/uploads/"):
        until_done(ours, location.partition("?")[0])
    [filed] = [one for one in bureau.ledger.submissions() if one.period == "2020-07"]
    assert filed.is_zero_return
    assert filed.received_by == "wang"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"enterprise_code": THEIRS, "month": "2020-07"}, 409),
        ({"enterprise_code": OURS, "month": "not a month"}, 400),
        ({"enterprise_code": OURS, "month": "2099-01"}, 409),
        ({"enterprise_code": "", "month": ""}, 400),
    ],
)
def test_a_zero_return_that_cannot_be_is_refused_in_words(
    at_the_desk: Callable[[str], Browser], fields: dict[str, object], status: int
) -> None:
    answer = at_the_desk("ours").post("/zero-returns", fields)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


def test_pressing_upload_without_a_file_says_what_to_do(at_the_desk: Callable[[str], Browser]) -> None:
    answer = at_the_desk("ours").post("/uploads", files=[("files", ("", b"", WORKBOOK))])
    assert answer.status_code == 409
    assert "没有收到文件" in answer.text


def test_more_files_than_a_sitting_are_refused_with_their_number(
    at_the_desk: Callable[[str], Browser],
) -> None:
    many = [(f"{n}.xlsx", b"x") for n in range(301)]
    answer = at_the_desk("clerk").post("/uploads", files=sent(*many))
    assert answer.status_code == 409
    assert "301" in answer.text


def test_ninety_megabytes_are_refused_before_they_are_read(at_the_desk: Callable[[str], Browser]) -> None:
    clerk = at_the_desk("clerk")
    token = clerk.token_of("/")
    read: list[int] = []

    def body() -> Iterator[bytes]:
        for _ in range(90):
            read.append(1)
            yield b"\0" * (1 << 20)

    answer = clerk.client.post(
        "/uploads",
        content=body(),
        headers={
            "Content-Length": str(90 << 20),
            "Content-Type": "multipart/form-data; boundary=x",
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": token,
        },
    )
    assert answer.status_code == 413
    assert "80 MB" in answer.text


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(
    at_the_desk: Callable[[str], Browser],
) -> None:
    clerk = at_the_desk("clerk")
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.xlsx"\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(90):
            yield b"\0" * (1 << 20)

    answer = clerk.client.post(
        "/uploads",
        content=body(),
        headers={
            "Content-Type": "multipart/form-data; boundary=x",
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": clerk.token_of("/"),
        },
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"\xff" * 100],
)
def test_a_form_that_is_none_is_refused_without_a_fault(
    at_the_desk: Callable[[str], Browser], body: bytes
) -> None:
    clerk = at_the_desk("clerk")
    answer = clerk.client.post(
        "/uploads",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=x", "X-CSRF-Token": clerk.token_of("/")},
    )
    assert answer.status_code in {400, 409}


def test_without_a_token_not_even_the_files_are_kept(
    at_the_desk: Callable[[str], Browser], bureau: Bureau
) -> None:
    before = bureau.ledger.uploads.recent(SignedInPeople().people["clerk"].actor, everybody=True, most=1000)
    answer = at_the_desk("clerk").post("/uploads", files=sent(("a.xlsx", b"x")), token="0" * 64)
    assert answer.status_code == 403
    after = bureau.ledger.uploads.recent(SignedInPeople().people["clerk"].actor, everybody=True, most=1000)
    assert len(after) == len(before)
