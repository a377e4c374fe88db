"""The guides' pictures are taken here, on the way that the guides describe; and the guides keep to what the pages say.

`python -m pytest tests/browser/test_guides.py --guide-pictures` takes docs/guides/pictures anew.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from city_desk import LINE, MONTH, NOW, OUR_CODE, City
from filed_by_hand import a_workbook, credit_code
from small_png import with_palette
from the_city import CityPortal, Visits

from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardFilter, BoardRow, ReturnState

HOUSE = Path(__file__).resolve().parents[2]
GUIDES = HOUSE / "docs" / "guides"
PICTURES = GUIDES / "pictures"
WORDS = (*(HOUSE / "pipelines" / "portal" / "words").glob("*.yaml"), HOUSE / "expectations/review_sheet.yaml")
WIDTH, HIGHEST = 1_100, 1_000
MOST_BYTES, MOST_BYTES_TOGETHER = 150_000, 2_000_000
SHEET_PROGRAMS, SHEET_PICTURES = ("soffice", "pdftoppm"), {"reporter-review-sheet.png"}


@dataclass
class Camera:
    """Takes pictures of pages, by the names that the guides use."""

    blank_page: Any
    taken: dict[str, bytes] = field(default_factory=dict)

    def take(self, page: Any, name: str, *, until: str = "", highest: int = HIGHEST) -> None:
        """The page from its top to the end of what `until` selects, or as far as a picture goes."""
        page.evaluate("() => document.activeElement.blur()")
        height = page.evaluate("() => document.documentElement.scrollHeight")
        if until:
            box = page.locator(until).last.bounding_box()
            assert box, f"{until} is not on the page"
            height = box["y"] + page.evaluate("() => window.scrollY") + box["height"] + 24
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(int(height), highest)}
        shot = page.screenshot(full_page=True, clip=clip, animations="disabled")
        self.taken[name] = with_palette(shot, self.blank_page)

    def take_first_sheet(self, workbook: bytes, name: str, folder: Path, *, highest: int) -> None:
        """The first sheet of a workbook as LibreOffice prints it; no picture where the programs are not installed."""
        if not all(map(shutil.which, SHEET_PROGRAMS)):
            return
        (folder / "sheet.xlsx").write_bytes(workbook)
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        convert = [
            "soffice",
            profile,
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            folder / "sheet.xlsx",
        ]
        subprocess.run(convert, check=True, capture_output=True, timeout=120)
        draw = [
            "pdftoppm",
            "-r",
            "110",
            "-f",
            "1",
            "-l",
            "1",
            "-singlefile",
            "-png",
            folder / "sheet.pdf",
            folder / "sheet",
        ]
        subprocess.run(draw, check=True, capture_output=True, timeout=60)
        drawn = base64.b64encode((folder / "sheet.png").read_bytes()).decode()
        self.blank_page.set_viewport_size({"width": WIDTH, "height": highest})
        self.blank_page.set_content(
            f'<body style="margin:0"><img style="width:100%;margin-top:-24px" src="data:image/png;base64,{drawn}">'
        )
        self.blank_page.wait_for_function("document.images[0].complete")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": highest}
        self.taken[name] = with_palette(self.blank_page.screenshot(clip=clip), self.blank_page)


@pytest.fixture(scope="module")
def camera(chromium: Any) -> Iterator[Camera]:
    context = chromium.new_context()
    yield Camera(context.new_page())
    context.close()


def a_new_reporter(city: City) -> tuple[str, BoardRow]:
    """Somebody who files for an enterprise that has not yet: login and enterprise."""
    rows = city.ledger.board.look(
        MONTH,
        city.actor_of["li.min"],
        BoardFilter(states=frozenset({ReturnState.NOT_FILED})),
        deadline_day=10,
        today=NOW.date(),
    ).rows
    row = next(one for one in rows if one.enterprise_code not in (OUR_CODE, credit_code(700)))
    accounts, login = city.ledger.accounts, "zhang.ting"
    accounts.create(Actor.operator("operator"), login, "张婷", oidc_identity=login)
    accounts.grant(Actor.operator("security"), login, Role.REPORTER, enterprise_codes=[row.enterprise_code])
    token = accounts.sign_in_by_identity(login, "127.0.0.1").session_token
    assert token
    city.token_of[login] = token
    return login, row


def upload(page: Any, name: str, content: bytes) -> None:
    page.locator("#files").set_input_files([{"name": name, "mimeType": "", "buffer": content}])
    page.get_by_role("button", name="上传并审核").click()
    page.wait_for_url("**/submissions/*", timeout=60_000)


def test_the_reporters_way(visits: Visits, city_portal: CityPortal, camera: Camera, tmp_path: Path) -> None:
    login, row = a_new_reporter(city_portal.city)
    page = visits.page("", "/sign-in", width=WIDTH)
    camera.take(page, "sign-in", until=".sign-in")
    page = visits.page(login, "/", width=WIDTH)
    camera.take(page, "reporter-home", until="section:has(.zero-form)")
    visits.go(page, "/templates")
    camera.take(page, "reporter-blank-form", highest=620)

    month, name, code = str(MONTH), row.enterprise_name, row.enterprise_code
    wrong = a_workbook(code, month, [replace(LINE, export="一百二十", export_ytd=120)], name=name)
    visits.go(page, "/uploads")
    upload(page, "3月报表.xlsx", wrong)
    assert page.locator(".findings-critical .cell").first.inner_text() == "D11"
    camera.take(page, "reporter-error", until=".findings-critical")
    odd = a_workbook(code, month, [replace(LINE, export=1_200_000, export_ytd=1_200_000)], name=name)
    visits.go(page, "/uploads")
    upload(page, "3月报表（更正）.xlsx", odd)
    with page.expect_download() as annotated:
        page.get_by_role("link", name="下载标注了审核意见的工作簿").click()
    workbook = annotated.value.path().read_bytes()
    camera.take_first_sheet(workbook, "reporter-review-sheet", tmp_path, highest=360)
    asked = page.locator("textarea")
    assert asked.count() >= 1
    asked.first.fill("一次性结算境外三年许可费，合同编号 2020-017，银行回单齐全。")
    camera.take(page, "reporter-explain", highest=HIGHEST)
    for one in asked.all():
        one.fill("一次性结算境外三年许可费，合同编号 2020-017，银行回单齐全。")
    page.get_by_role("button", name="提交说明").first.click()
    assert page.locator(".verdict-line").inner_text() == "通过审核，说明待复核"
    page.locator("a[href$='/receipt']").click()
    camera.take(page, "reporter-receipt", until=".receipt")


def test_the_clerks_way(visits: Visits, city_portal: CityPortal, camera: Camera) -> None:
    page = visits.page("li.min", "/board", width=WIDTH)
    camera.take(page, "clerk-board", highest=820)
    visits.go(page, "/uploads/{upload}")
    camera.take(page, "clerk-batch", until=".batch-table")
    visits.go(page, "/review")
    camera.take(page, "clerk-review", highest=720)
    visits.go(page, "/board?state=queried")
    page.locator("tbody a[href^='/review/']").first.click()
    assert page.get_by_role("button", name="核实通过").count() == 1
    camera.take(page, "clerk-confirm", until=".columns")
    visits.go(page, "/review/{explained}")
    assert page.get_by_role("button", name="采纳说明").count() == 1
    camera.take(page, "clerk-explanations", until="form:has([value=accept])")
    visits.go(page, "/reminders")
    page.locator("input[name=enterprise_codes]").first.check()
    page.fill("#spoken_to", "财务部李女士")
    page.fill("#note", "答复明日上午报送。")
    camera.take(page, "clerk-reminders", highest=HIGHEST)
    visits.go(page, "/enterprises/import")
    head = "统一社会信用代码,企业名称,所在区,行业代码,起始月份\n"
    rows = f"{credit_code(901)},武汉新设示例咨询有限公司,武昌区,7243,2020-04\n{OUR_CODE},武汉市江汉区示例软件有限公司,江汉区,6513,2019-12\n"
    content = io.BytesIO((head + rows).encode("utf-8-sig")).getvalue()
    page.locator("#file").set_input_files([{"name": "名录.csv", "mimeType": "text/csv", "buffer": content}])
    page.get_by_role("button", name="读取并预览").click()
    assert page.get_by_role("button", name=re.compile("^确认导入")).count() == 1
    camera.take(page, "clerk-register", until="table")
    chen = visits.page("chen.gang", "/months/2020-02", width=WIDTH)
    camera.take(chen, "clerk-closing", highest=820)


def test_the_pictures_are_those_of_the_guides(camera: Camera, request: pytest.FixtureRequest) -> None:
    if not camera.taken:
        pytest.skip("no picture was taken in this run: the tests of the two ways did not run before")
    if request.config.getoption("--guide-pictures", default=False):
        for name, content in camera.taken.items():
            (PICTURES / f"{name}.png").write_bytes(content)
    without_programs = set() if all(map(shutil.which, SHEET_PROGRAMS)) else SHEET_PICTURES
    assert {f"{name}.png" for name in camera.taken} == named_pictures() - without_programs
    assert max(map(len, camera.taken.values())) < MOST_BYTES


# -- without a browser ------------------------------------------------------------------------------------------


def guides() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(GUIDES.glob("*.md"))}


def named_pictures() -> set[str]:
    return {name for text in guides().values() for name in re.findall(r"\]\(pictures/([^)]+)\)", text)}


def test_every_picture_a_guide_names_is_there_small_and_none_is_left_over() -> None:
    files = {path.name: path for path in PICTURES.iterdir()}
    assert set(files) == named_pictures()
    sizes = {name: path.stat().st_size for name, path in files.items()}
    assert {name: size for name, size in sizes.items() if size >= MOST_BYTES} == {}
    assert sum(sizes.values()) < MOST_BYTES_TOGETHER
    for name, path in files.items():
        content = path.read_bytes()
        width, height, depth, kind = struct.unpack(">IIBB", content[16:26])
        assert (content[:8], width, depth, kind) == (b"\x89PNG\r\n\x1a\n", WIDTH, 8, 3), name
        assert 200 <= height <= HIGHEST, name


def test_every_picture_says_in_words_what_it_shows() -> None:
    told = [alt for text in guides().values() for alt in re.findall(r"!\[([^\]]*)\]", text)]
    assert told
    assert [alt for alt in told if len(alt) < 8] == []


def sentences(node: object) -> Iterator[str]:
    """Every Chinese wording of a catalogue."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "zh" and isinstance(value, str):
                yield value
            yield from sentences(value)


def test_every_label_a_guide_quotes_stands_on_a_page() -> None:
    patterns = [
        re.compile(re.sub(r"\\\{\w+\\\}", "[^「」]+", re.escape(sentence)))
        for path in WORDS
        for sentence in sentences(yaml.safe_load(path.read_text(encoding="utf-8")))
        if not re.fullmatch(r"[\s:：（）〔〕\w]*\{\w+\}", sentence) or len(sentence) > 12
    ]
    quoted = {(name, label) for name, text in guides().items() for label in re.findall("「([^」]+)」", text)}
    assert len(quoted) > 40
    stale = sorted(
        (name, label) for name, label in quoted if not any(one.fullmatch(label) for one in patterns)
    )
    assert stale == []
