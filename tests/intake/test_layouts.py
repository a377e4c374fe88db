"""Layouts are data: they load, they contradict nothing, and a mistake in one is named with its remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.intake.layouts import InvalidLayout, choose_layout, layout_book
from pipelines.intake.messages import catalogue, finding
from pipelines.intake.parse import parse_sheets
from pipelines.intake.recognise import Recogniser
from pipelines.intake.workbook import Sheet as ReadSheet
from pipelines.paths import LAYOUTS_DIR
from pipelines.periods import parse_period
from pipelines.records import FileKind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bureau's own copy of the layouts."""
    target = tmp_path / "layouts"
    shutil.copytree(LAYOUTS_DIR, target)
    return target


def test_every_form_of_the_first_release_has_a_layout() -> None:
    forms = {"FM-1", "FM-2", "FM-3", "FM-4", "FM-5", "FM-8"}
    assert set(layout_book().by_form) >= {*forms, *(f"DM-{number}" for number in range(1, 7))}
    for layout in layout_book().layouts:
        expected = FileKind.RETURN if layout.form_code.startswith("FM") else FileKind.DEPARTMENT
        assert layout.kind is expected


def test_the_version_of_a_form_is_chosen_by_form_and_period() -> None:
    book = layout_book()
    [chosen] = choose_layout(book, "FM-2", parse_period("2020年3月"))
    assert (chosen.form_code, chosen.version) == ("FM-2", "2016")
    assert choose_layout(book, "FM-2", parse_period("2012年3月")) == ()
    assert choose_layout(book, "FM-0", parse_period("2020年3月")) == ()


def test_a_new_version_of_a_form_is_one_more_file(folder: Path) -> None:
    old = (folder / "FM-2.yaml").read_text(encoding="utf-8")
    (folder / "FM-2.yaml").write_text(
        old.replace("valid_from: 2016-01", "valid_from: 2016-01\nvalid_until: 2021-12"), encoding="utf-8"
    )
    (folder / "FM-2_2022.yaml").write_text(
        old.replace('version: "2016"', 'version: "2022"').replace(
            "valid_from: 2016-01", "valid_from: 2022-01"
        ),
        encoding="utf-8",
    )
    book = layout_book(folder)
    assert [one.version for one in choose_layout(book, "FM-2", parse_period("2021-12"))] == ["2016"]
    assert [one.version for one in choose_layout(book, "FM-2", parse_period("2022-01"))] == ["2022"]
    assert [one.version for one in choose_layout(book, "FM-2", None)] == ["2022"]


def test_a_bureau_adds_a_form_by_adding_a_file(folder: Path) -> None:
    (folder / "FM-9.yaml").write_text(
        """
form: FM-9
version: "2016"
kind: return
cadence: year
title: {zh: 本市附表, en: A table of the city's own}
valid_from: 2016-01
head: return
required_head: [reference_month, enterprise_code, unit]
units: [USD_10K]
key: [affiliate_name]
columns:
  - {field: affiliate_name, type: text, required: true, label: {zh: 机构名称, en: Affiliate}}
  - {field: partner_code, type: code, list: partner, required: true, label: {zh: 国别（地区）, en: Country}}
  - {field: sales, type: number, required: true, measure: true, label: {zh: 销售（营业）收入, en: Sales}}
""",
        encoding="utf-8",
    )
    book = layout_book(folder)
    rows = [
        ["本市附表", "", ""],
        ["表号：FM-9", "报告期：", "2020年"],
        ["统一社会信用代码：91420100MA4KABCD10", "计量单位：", "万美元"],
        ["机构名称", "国别（地区）", "销售（营业）收入"],
        ["示例（新加坡）公司", "SGP", 12.5],
    ]
    reading = parse_sheets([ReadSheet("附表", rows, [])], book, Recogniser(book))
    assert reading.findings == []
    assert [(cell[5], cell[7] or cell[8]) for cell in reading.cells if cell[2] == "row"] == [
        ("affiliate_name", "示例（新加坡）公司"),
        ("partner_code", "SGP"),
        ("sales", "12.5"),
    ]


MISTAKES = {
    "an unknown key": ("valid_from: 2016-01", "valid_from: 2016-01\nvalid_form: 2016-01", "unknown key valid_form"),
    "an unknown type": ("type: percent", "type: percentage", "type is 'percentage'"),
    "an unknown code list": ("list: partner", "list: partners", "a code needs list"),
    "an unknown unit": ("USD_100M, CNY,", "USD_100M, CNX,", "units lists 'CNX'"),
    "no date of validity": ("valid_from: 2016-01", "", "valid_from is missing"),
    "a date that is none": ("valid_from: 2016-01", "valid_from: 2016", "write it as 2016-01"),
    "an unknown cadence": ("kind: return", "kind: return\ncadence: weekly", "cadence is 'weekly'"),
    "an unknown kind": ("kind: return", "kind: returns", "expected return or department"),
    "an unknown head": ("head: return\n", "head: enterprise\n", "general.yaml has"),
    "a head field that is none": ("[reference_month, enterprise_code", "[reference_months, enterprise_code", "reference_months"),
    "a title in one language": ("title: {zh: 服务进出口情况表, en: Exports and imports of services}", "title: {zh: 服务进出口情况表}", "zh and en"),
    "a label of two fields": ("labels: [说明, 备注", "labels: [国别, 备注", "Keep one"),
    "a field twice": ("field: remark", "field: partner_code", "stands twice"),
    "a key that is no column": ("key: [item_code, partner_code]", "key: [item]", "which no column has"),
    "no YAML": ("form: FM-2", "form: [FM-2", "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_in_a_layout_names_the_file_and_the_remedy(folder: Path, what: str) -> None:
    old, new, expected = MISTAKES[what]
    path = folder / "FM-2.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidLayout) as raised:
        layout_book(folder)
    assert "FM-2.yaml" in str(raised.value)
    assert expected in str(raised.value)


def test_two_forms_may_not_share_a_name(folder: Path) -> None:
    path = folder / "FM-3.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("names: [服务外包", "names: [服务进出口, 服务外包"),
        encoding="utf-8",
    )
    with pytest.raises(InvalidLayout, match="Rename one"):
        layout_book(folder)


def test_a_folder_without_layouts_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidLayout, match=r"general\.yaml: not found"):
        layout_book(tmp_path)


def test_every_finding_and_fix_of_the_catalogue_speaks_both_languages() -> None:
    held = catalogue()
    assert set(held.rules) >= {*(f"G{n:02d}" for n in range(1, 9)), *(f"P{n:02d}" for n in range(1, 17))}
    for rule in held.rules.values():
        assert rule.message.zh != rule.message.en
        assert rule.label.zh
        assert rule.label.en
    for wording in (
        *held.fixes.values(),
        *(word for group in held.words.values() for word in group.values()),
    ):
        assert wording.zh
        assert wording.en
        assert wording.zh != wording.en


def test_every_critical_finding_says_what_to_do_and_that_one_may_not_go_on() -> None:
    for rule in catalogue().rules.values():
        if rule.severity == "critical":
            assert "请" in rule.message.zh, rule.rule
            assert any(end in rule.message.zh for end in ("不能提交", "再提交")), rule.rule
            assert "submit" in rule.message.en, rule.rule
        else:
            assert any(end in rule.message.zh for end in ("可以提交", "可先提交", "重新检查")), rule.rule


def test_braces_in_what_a_clerk_wrote_are_only_text() -> None:
    found = finding("P06", sheet="表", cell="A1", given="{expected} {0} %s")
    assert "{expected} {0} %s" in found.message.zh
