"""The reporter's and the clerk's way through the portal, by keyboard, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filed_by_hand import Line, a_workbook, credit_code
from portal_bureau import OUR_NAME, OURS, THEIR_NAME, THEIRS
from portal_in_chromium import Portal

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}<svg onload=alert(3)>'


def on_disk(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def settled(page: Any) -> None:
    """Wait until the batch on the page is finished, or a single file has led on to its verdict."""
    page.wait_for_selector("#batch:not([hx-trigger]), .verdict-line", timeout=30_000)


# More than a year apart, so that no month is history for the other cases.
WAYS = [
    pytest.param("zh", True, "2016-01", "2016-02", id="zh, with scripts"),
    pytest.param("zh", False, "2017-06", "2017-07", id="zh, without scripts"),
    pytest.param("en", True, "2018-11", "2018-12", id="en, with scripts"),
]


@pytest.mark.parametrize(("language", "scripts", "before", "month"), WAYS)
def test_a_reporter_files_reads_the_verdict_explains_and_has_a_receipt_by_keyboard_alone(
    portal: Portal,
    visit: Callable[..., Any],
    tmp_path: Path,
    language: str,
    scripts: bool,
    before: str,
    month: str,
) -> None:
    portal.bureau.file(a_workbook(OURS, before, [LINE], name=OUR_NAME), name=f"{before}.xlsx")
    odd = replace(LINE, export=1_250_000, export_ytd=1_250_120, imports_ytd=6)
    file = on_disk(tmp_path, f"{month}.xlsx", a_workbook(OURS, month, [odd], name=OUR_NAME))
    page = visit("ours", "/uploads", language=language, scripts=scripts)
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("class") == "skip-link"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # past head and menu: the first thing in the page is the box
    assert page.locator(":focus").get_attribute("id") == "files"
    page.locator("#files").set_input_files(file)
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    settled(page)
    page.wait_for_url("**/submissions/*")  # a single file leads straight to its verdict, however long it took
    assert re.search(r"/submissions/[0-9a-f]{20}", page.url)
    asked = {"zh": "已收到，有需要核实的问题", "en": "Received, with questions to be answered"}
    assert page.locator(".verdict-line").inner_text() == asked[language]
    assert page.locator(".findings-warning .cell").first.inner_text() == "D11"
    for field in page.locator("textarea").all():
        field.focus()
        page.keyboard.type("合同跨年结算，金额属实。")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    explained = {"zh": "通过审核，说明待复核", "en": "Accepted; explanations to be looked at"}
    assert page.locator(".verdict-line").inner_text() == explained[language]
    page.locator("a[href$='/receipt']").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert month in page.locator(".receipt-number").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_clerk_drops_thirty_files_and_each_verdict_arrives_by_itself(
    portal: Portal, visit: Callable[..., Any], tmp_path: Path, scripts: bool
) -> None:
    note = f"scripts: {scripts}"
    files = [
        on_disk(
            tmp_path,
            f"2019-{month:02d}-{code[-3:]}.xlsx",
            a_workbook(code, f"2019-{month:02d}", [LINE], name=name, note=note),
        )
        for month in range(1, 13)
        for code, name in ((OURS, OUR_NAME), (THEIRS, THEIR_NAME))
    ]
    files += [
        on_disk(tmp_path, f"坏{number}.xlsx", f"no workbook {number} {note}".encode()) for number in range(5)
    ]
    files.append(
        on_disk(
            tmp_path, "陌生.xlsx", a_workbook(credit_code(900), "2019-05", [LINE], name="陌生企业", note=note)
        )
    )
    page = visit("clerk", "/uploads", scripts=scripts)
    page.locator("#files").set_input_files(files)
    if scripts:
        assert "30" in page.locator("#upload-chosen").inner_text()
    page.locator("form.upload-box button").click()
    page.wait_for_url("**/uploads/*")
    address = page.url
    page.goto(f"{portal.address}/")  # away and back: the batch goes on by itself
    page.goto(address)
    settled(page)
    rows = page.locator("#batch tbody tr")
    assert rows.count() == 30
    first = [rows.nth(number).locator("th").inner_text() for number in range(6)]
    assert all("坏" in name or "陌生" in name for name in first)
    assert page.locator("#batch-told").inner_text().strip().startswith("30")
    page.get_by_role("link", name=re.compile("只看有问题的")).click()
    assert "show=problems" in page.url
    assert "坏0.xlsx" in page.locator("#batch").inner_text()
    page.get_by_role("link", name=re.compile(r"^H1b")).click()
    assert page.locator("#batch tbody tr").count() == 1
    assert "陌生.xlsx" in page.locator("#batch tbody").inner_text()


def test_what_is_announced_is_announced_in_one_place_that_stays(
    portal: Portal, visit: Callable[..., Any], tmp_path: Path
) -> None:
    files = [on_disk(tmp_path, f"x{n}.xlsx", f"announced {n}".encode()) for n in range(12)]
    page = visit("clerk", "/uploads")
    page.locator("#files").set_input_files(files)
    page.locator("form.upload-box button").click()
    page.wait_for_selector("#batch-told", state="attached")
    page.evaluate("document.getElementById('batch-told').dataset.kept = 'yes'")
    settled(page)
    assert page.locator("#batch-told").get_attribute("role") == "status"
    assert "12" in page.locator("#batch-told").inner_text()


def test_a_zero_return_is_one_click_on_the_first_page(portal: Portal, visit: Callable[..., Any]) -> None:
    page = visit("theirs", "/")
    page.get_by_role("button", name=re.compile("零报")).click()
    page.wait_for_load_state()
    settled(page)
    page.goto(f"{portal.address}/")
    assert page.locator(".enterprise-line").inner_text().startswith("零报")
    assert page.get_by_role("button", name=re.compile("零报")).count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_file_sent_after_the_session_ended_is_said_to_be_lost_and_the_way_back_is_kept(
    portal: Portal, visit: Callable[..., Any], tmp_path: Path, scripts: bool
) -> None:
    file = on_disk(tmp_path, "九月.xlsx", a_workbook(OURS, "2015-09", [LINE], name=OUR_NAME))
    before = len(portal.bureau.ledger.submissions())
    page = visit("ours", "/uploads", scripts=scripts)
    page.locator("#files").set_input_files(file)
    page.context.clear_cookies()
    page.locator("form.upload-box button[type=submit]").click()
    page.wait_for_url(re.compile(r"/sign-in\?"))
    assert "刚才提交的内容没有收到，也没有保存" in page.get_by_role("alert").inner_text()
    assert page.locator("#main input[name=next]").input_value() == "/uploads"
    assert len(portal.bureau.ledger.submissions()) == before


def test_hostile_names_and_cells_run_nothing_anywhere(
    portal: Portal, visit: Callable[..., Any], tmp_path: Path
) -> None:
    odd = replace(LINE, item=HOSTILE, partner=HOSTILE, export=HOSTILE, remark=HOSTILE)
    submission = portal.bureau.file(
        a_workbook(OURS, "2016-01", [odd], name=HOSTILE, note=HOSTILE), name=f"{HOSTILE}.xlsx"
    )
    for person in ("ours", "clerk"):
        for path in (
            "/",
            f"/submissions/{submission.submission_id}",
            f"/submissions/{submission.submission_id}/receipt",
        ):
            page = visit(person, path)
            assert page.locator("img[src=x]").count() == 0
            assert page.locator("svg[onload]").count() == 0
            assert "7*7" in page.content() or path == "/"
    page = visit("ours", f"/uploads?said={HOSTILE}&q={HOSTILE}")
    assert page.locator("img[src=x]").count() == 0


def test_the_annotated_workbook_arrives_under_its_chinese_name(
    portal: Portal, visit: Callable[..., Any]
) -> None:
    page = visit("ours", f"/submissions/{portal.filed.queried.submission_id}")
    with page.expect_download() as coming:
        page.get_by_role("link", name=re.compile("下载标注")).click()
    assert coming.value.suggested_filename == "2020年3月_审核意见.xlsx"


def test_language_and_large_text_are_switched_and_kept(portal: Portal, visit: Callable[..., Any]) -> None:
    page = visit("ours", "/uploads", scripts=False)
    page.get_by_role("button", name="English").click()
    assert page.url == f"{portal.address}/uploads"
    assert page.locator("h1").inner_text() == "Upload returns"
    page.get_by_role("button", name="Large text").click()
    assert "large-text" in (page.locator("html").get_attribute("class") or "")
    page.goto(f"{portal.address}/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert "large-text" in (page.locator("html").get_attribute("class") or "")


def test_focus_can_be_seen_on_everything_one_can_reach(portal: Portal, visit: Callable[..., Any]) -> None:
    page = visit("ours", f"/submissions/{portal.filed.queried.submission_id}")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => {
                const element = document.activeElement;
                const style = getComputedStyle(element);
                return [element.tagName, element.textContent.trim().slice(0, 30), style.outlineStyle, style.outlineWidth];
            }"""
        )
        if told[0] == "BODY":
            break
        reached.add((told[0], told[1]))
        assert told[2] != "none", told
        assert float(told[3].removesuffix("px")) >= 2, told
    assert len(reached) >= 12


def test_a_dropped_file_is_chosen_and_too_many_are_told_before_they_travel(
    portal: Portal, visit: Callable[..., Any]
) -> None:
    page = visit("clerk", "/uploads")
    drop = """(count) => {
        const box = document.querySelector("form[data-drop]");
        const transfer = new DataTransfer();
        for (let n = 0; n < count; n += 1) transfer.items.add(new File(["x"], `${n}.xlsx`));
        box.dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        box.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, 2)
    page.wait_for_function("document.getElementById('files').files.length === 2")
    assert "2" in page.locator("#upload-chosen").inner_text()
    page.evaluate(drop, 301)
    page.wait_for_function("document.getElementById('files').files.length === 301")
    assert "300" in page.locator("#upload-chosen").inner_text()
    assert page.evaluate("document.getElementById('files').validity.valid") is False


def test_on_paper_every_finding_is_there_and_nothing_to_press(
    portal: Portal, visit: Callable[..., Any]
) -> None:
    page = visit("ours", f"/submissions/{portal.filed.queried.submission_id}")
    page.emulate_media(media="print")
    assert page.locator(".findings li").first.is_visible()
    assert page.locator(".verdict-line").is_visible()
    for what in ("button", "textarea", "nav", "header"):
        assert not any(one.is_visible() for one in page.locator(what).all()), what
