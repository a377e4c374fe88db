"""The month's work in the browser: without scripts from upload to closing, by keyboard alone, and three hundred at once."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from city_desk import LINE, MONTH, NOW, OUR_CODE, OUR_NAME, City
from filed_by_hand import a_workbook, credit_code
from the_city import CityPortal, Visits

from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardFilter, ReturnState

CHOSEN = "copper Lantern drifts 48"


def missing(city: City, count: int) -> list[Any]:
    """Enterprises that have not filed for the month, the last of the board first, ours not among them."""
    rows = city.ledger.board.look(
        MONTH,
        city.actor_of["li.min"],
        BoardFilter(states=frozenset({ReturnState.NOT_FILED})),
        deadline_day=10,
        today=NOW.date(),
    ).rows
    others = [row for row in rows if row.enterprise_code != OUR_CODE][::-1]
    assert len(others) >= count
    return others[:count]


def on_disk(folder: Path, files: dict[str, bytes]) -> list[str]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in files]


def done(page: Any) -> None:
    """Wait until the batch on the page is finished, or a single file has led on to its verdict."""
    page.wait_for_selector("#batch:not([hx-trigger]), .verdict-line", timeout=60_000)


def press(page: Any, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


def test_without_scripts_three_returns_are_uploaded_explained_confirmed_and_sent_back(
    visits: Visits, city_portal: CityPortal, tmp_path: Path
) -> None:
    good, odd, late = missing(city_portal.city, 3)
    small = replace(LINE, export=10, export_ytd=10, imports=None, imports_ytd=None)
    files = {
        f"{row.enterprise_name}.xlsx": a_workbook(
            row.enterprise_code, str(MONTH), [line], name=row.enterprise_name
        )
        for row, line in ((odd, replace(small, export=880_000, export_ytd=880_000)), (late, small))
    }
    files["不是报表.xlsx"] = b"no workbook"
    zhou = visits.page("zhou.jie", "/uploads", scripts=False)
    zhou.locator("#files").set_input_files(on_disk(tmp_path, files))
    zhou.get_by_role("button", name="上传并审核").click()
    done(zhou)
    assert zhou.locator("#batch tbody tr").count() == 3
    assert "拒收" in zhou.locator("#batch tbody").inner_text()
    zhou.get_by_role("link", name=f"{odd.enterprise_name}.xlsx").click()
    assert zhou.locator("textarea").count() == 0  # who filed it does not explain it

    chen = visits.page("chen.gang", zhou.url.removeprefix(city_portal.address), scripts=False)
    for field in chen.locator("textarea").all():
        field.fill("一次性结算三年的许可费，合同齐全。")
    press(chen, "提交说明")
    assert chen.locator(".verdict-line").inner_text() == "通过审核，说明待复核"

    submission_id = chen.url.split("?")[0].rsplit("/", 1)[1].split("#")[0]
    li = visits.page("li.min", f"/review/{submission_id}", scripts=False)
    assert "许可费" in li.locator(".findings").first.inner_text()
    press(li, "采纳说明")

    visits.go(li, "/board?state=queried")
    asked = li.locator("tbody a[href^='/review/']")
    assert asked.count() >= 2
    paths = [one.get_attribute("href") for one in asked.all()[:2]]
    visits.go(li, paths[0])
    li.fill("#reason", "电话核实：上月漏报，本月补报，金额属实。")
    press(li, "核实通过")
    visits.go(li, paths[1])
    assert "请" in li.locator("#text").input_value()  # the text for sending back is laid out
    press(li, "退回企业更正")
    view = city_portal.city.ledger.reviews.view(
        paths[1].rsplit("/", 1)[1], city_portal.city.actor_of["li.min"]
    )
    assert view.returned_for.startswith("请")
    visits.go(li, f"/board?q={good.enterprise_code}")
    assert "未报" in li.locator("tbody").last.inner_text()


def test_without_scripts_a_zero_return_a_reminder_and_the_second_hand_at_closing(
    visits: Visits, city_portal: CityPortal
) -> None:
    li = visits.page("li.min", "/reminders", scripts=False)
    assert li.locator("[data-choose-all]").is_hidden()
    boxes = li.locator("input[name=enterprise_codes]")
    code = boxes.nth(0).get_attribute("value")
    boxes.nth(0).check()
    boxes.nth(1).check()
    li.fill("#spoken_to", "办公室张女士")
    press(li, "登记")
    assert li.locator("[role=status]").first.is_visible()
    visits.go(li, f"/reminders/{code}")
    assert "办公室张女士" in li.locator("tbody").inner_text()

    wang = visits.page("wang.fang", "/", scripts=False)
    wang.get_by_role("button", name=re.compile("零报")).click()
    done(wang)
    visits.go(wang, "/")
    assert wang.locator(".enterprise-line").inner_text().startswith("零报")

    li.goto(f"{city_portal.address}/months/2020-02")
    assert li.get_by_role("button", name="确认", exact=True).count() == 0
    chen = visits.page("chen.gang", "/months/2020-02", scripts=False)
    press(chen, "确认")
    assert "已结账" in chen.locator("h1").inner_text()


def test_the_box_that_ticks_all_ticks_all_where_scripts_run(visits: Visits) -> None:
    page = visits.page("li.min", "/reminders")
    page.locator("[data-choose-all]").check()
    boxes = page.locator("input[name=enterprise_codes]")
    assert all(box.is_checked() for box in boxes.all())
    boxes.nth(0).uncheck()
    assert page.locator("[data-choose-all]").evaluate("box => box.indeterminate") is True


def tab_to(page: Any, what: str, most: int = 80) -> None:
    """Press Tab until the focus is on what the selector means."""
    for _ in range(most):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{what} cannot be reached with {most} tabs")


def enter(page: Any) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def chooser_by_space(page: Any) -> Any:
    """What Space opens at the field for files. A busy Chromium now and then takes a key for no act of a person and
    opens nothing; a person presses again."""
    from playwright.sync_api import TimeoutError as NothingOpened

    for _ in range(3):
        try:
            with page.expect_file_chooser(timeout=4_000) as chooser:
                page.keyboard.press("Space", delay=60)
        except NothingOpened:
            continue
        else:
            return chooser.value
    raise AssertionError("Space opened no file chooser at the field for files, pressed three times")


def test_by_keyboard_alone_from_signing_in_to_the_annotated_copy(
    visits: Visits, city_portal: CityPortal, tmp_path: Path
) -> None:
    accounts = city_portal.city.ledger.accounts
    made = accounts.create(Actor.operator("operator"), "liu.yun", "刘芸")
    accounts.grant(Actor.operator("security"), "liu.yun", Role.REPORTER, enterprise_codes=[credit_code(700)])
    page = visits.page("", "/sign-in")
    tab_to(page, "#login")
    page.keyboard.type("liu.yun")
    page.keyboard.press("Tab")
    page.keyboard.type(made.one_time_password)
    enter(page)
    for field, text in (("#present", made.one_time_password), ("#chosen", CHOSEN), ("#again", CHOSEN)):
        tab_to(page, field)
        page.keyboard.type(text)
    enter(page)
    tab_to(page, "a[href='/uploads']")
    enter(page)
    tab_to(page, "#files")
    content = a_workbook(credit_code(700), str(MONTH), [replace(LINE, export="很多")], name="示例")
    chooser_by_space(page).set_files(on_disk(tmp_path, {"三月.xlsx": content}))
    tab_to(page, ".upload-box button")
    enter(page)
    done(page)
    page.wait_for_url("**/submissions/*")
    assert page.locator(".findings-critical .cell").first.inner_text() == "D11"
    tab_to(page, "a[href$='/annotated']")
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    assert coming.value.suggested_filename.endswith("_审核意见.xlsx")
    with zipfile.ZipFile(coming.value.path()) as workbook:
        assert "审核意见" in html.unescape(workbook.read("xl/workbook.xml").decode())


def test_by_keyboard_alone_from_the_board_by_its_filter_to_a_confirmed_return(
    visits: Visits, city_portal: CityPortal
) -> None:
    page = visits.page("li.min", "/board")
    tab_to(page, "select#state")
    while page.locator("select#state").input_value() != "queried":
        page.keyboard.press("ArrowDown")
    tab_to(page, "form[role=search] button")
    enter(page)
    assert "state=queried" in page.url
    tab_to(page, "tbody a[href^='/review/']", most=200)
    enter(page)
    tab_to(page, "textarea#reason")
    page.keyboard.type("已电话核实，金额属实。")
    tab_to(page, "button[value=confirm]")
    enter(page)
    assert page.locator("main [role=status]").first.inner_text().strip() != ""


def test_one_dropped_workbook_leads_to_its_verdict(visits: Visits) -> None:
    page = visits.page("wang.fang", "/uploads")
    content = a_workbook(OUR_CODE, "2019-12", [replace(LINE, partner="DEU")], name=OUR_NAME, note="drop")
    page.evaluate(
        """(text) => {
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "十二月.xlsx"));
            const box = document.querySelector("form[data-drop]");
            box.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(content).decode(),
    )
    page.wait_for_function("() => document.getElementById('files').files.length === 1")
    page.keyboard.press("Enter")  # dropping puts the focus on the button
    page.wait_for_url("**/submissions/*")
    assert page.locator(".verdict-line").count() == 1


def test_three_hundred_in_one_archive_arrive_one_by_one_and_survive_a_reload(
    visits: Visits, tmp_path: Path
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(300):
            code = credit_code(1_000 + number)
            content = a_workbook(code, str(MONTH), [replace(LINE, export=number + 1)], name=f"第{number}家")
            packed.writestr(f"四月九日/{number:03d}.xlsx", content)
    page = visits.page("li.min", "/uploads")
    page.locator("#files").set_input_files(on_disk(tmp_path, {"全部.zip": archive.getvalue()}))
    page.get_by_role("button", name="上传并审核").click()
    page.wait_for_url("**/uploads/*")
    page.wait_for_function(
        """() => {
            const bar = document.querySelector("progress");
            return !bar || bar.value > 0;
        }"""
    )
    page.reload()
    assert page.locator("#batch tbody tr").count() == 300
    done(page)
    assert page.locator("#batch tbody .verdict-waiting").count() == 0
    assert page.locator("#batch-told").inner_text().strip().startswith("300")
    page.get_by_role("link", name=re.compile("^H1b")).click()
    assert page.locator("#batch tbody tr").count() == 300
