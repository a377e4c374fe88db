"""Targets, counters and tasks: every number with the words it comes from, and how each target is measured."""

import re
import unicodedata
from collections import Counter
from decimal import Decimal

import pytest

from pipelines import codes

CARRIED_TASK_COLUMNS = ("task", "lead_department", "schedule")


def normalised(text: str) -> str:
    """Without blanks and with plain commas and digits: how seeds, half of them OCR, are compared (domain note 4.1)."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def seed(shared):
    """Normalised text of a seed document, by file name."""
    texts = {
        path.name: normalised(path.read_text(encoding="utf-8")) for path in (shared / "seeds").glob("*.txt")
    }
    return texts.__getitem__


def test_there_are_74_numeric_targets_9_qualitative_35_counters_and_4_parameters(table):
    assert Counter(row["kind"] for row in table("targets")) == {
        "target": 74,
        "qualitative": 9,
        "programme_counter": 35,
        "policy_parameter": 4,
    }


def test_every_phrase_stands_in_its_seed(table, seed):
    for row in table("targets"):
        assert len(normalised(row["phrase"])) >= 5
        assert normalised(row["phrase"]) in seed(row["source_file"]), row["target_id"]


def test_a_phrase_that_was_never_written_is_not_found(seed):
    text = seed("001_5712e3620262e150.txt")
    assert normalised("服务贸易进出口总额超过 120 亿美元") in text
    assert normalised("服务贸易进出口总额超过 130 亿美元") not in text


def test_the_number_of_a_target_stands_in_its_phrase(table):
    words = {"T112": "half", "T099": "five", "T100": "three", "T089": "VIII", "T090": "20", "T087": ""}
    for row in table("targets"):
        if row["value"]:
            phrase = normalised(row["phrase"]).replace(",", "")
            expected = words.get(row["target_id"], row["value"])
            assert expected in phrase, row["target_id"]
            assert row["value_high"] in phrase


def test_targets_equal_the_table_of_facts_word_for_word(table, given_table):
    carried = [
        {"id" if key == "target_id" else key: value for key, value in row.items()} for row in table("targets")
    ]
    assert carried == given_table("targets")


def test_a_range_has_two_ends_and_nothing_else_has(table):
    for row in table("targets"):
        assert bool(row["value_high"]) == (row["comparator"] == "range"), row["target_id"]
        if row["value_high"]:
            assert Decimal(row["value"]) < Decimal(row["value_high"])
        assert bool(row["value"]) == (row["comparator"] != "qual")
        assert (row["kind"] == "qualitative") == (row["comparator"] == "qual")


def test_corrupt_counters_are_kept_as_evidence_and_measured_by_nothing(table):
    suspect = {row["target_id"] for row in table("targets") if row["comparator"] == "suspect"}
    assert suspect == {"T105", "T106", "T114", "T115", "T116", "T119"}
    assert not suspect & {row["target_id"] for row in table("target_series")}


# How a target is measured -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(table):
    """Target and its series, by target_id."""
    targets = {row["target_id"]: row for row in table("targets")}
    return {row["target_id"]: (targets[row["target_id"]], row) for row in table("target_series")}


def test_every_target_says_how_it_is_measured_and_counters_do_not(table, measured):
    assert set(measured) == {
        row["target_id"] for row in table("targets") if row["kind"] in ("target", "qualitative")
    }


def test_the_overall_and_outsourcing_targets_are_computed_and_all_others_come_from_departments(measured):
    computed = {target_id: series["measured_from"] for target_id, (_, series) in measured.items()
                if series["measured_from"] != "department"}  # fmt: skip
    assert computed == {
        "T001": "trade_total", "T002": "trade_total", "T003": "share_of_foreign_trade", "T004": "trade_total",
        "T005": "share_of_foreign_trade", "T028": "outsourcing", "T029": "outsourcing", "T030": "outsourcing",
        "T031": "outsourcing", "T032": "outsourcing",
    }  # fmt: skip
    for target_id in ("T028", "T030", "T032"):
        assert (measured[target_id][1]["scope"], measured[target_id][1]["measure"]) == (
            "offshore",
            "executed",
        )


def test_a_growth_target_has_a_base_year_and_only_a_growth_target_needs_one(measured):
    growth = {target_id: (target["year"], series["base_year"]) for target_id, (target, series) in measured.items()
              if series["measure_kind"] in ("growth", "average_growth")}  # fmt: skip
    assert growth == {
        "T002": ("2017", "2015"), "T012": ("2016", "2015"), "T029": ("2016", "2015"), "T031": ("2017", "2016"),
        "T034": ("2016", "2015"), "T036": ("2017", "2016"),
    }  # fmt: skip
    assert all(measured[target_id][1]["growth_indicator"] for target_id in growth)


def test_the_average_growth_target_is_measured_from_the_70_39_of_2015(measured):
    """107 in 2016 was 52 % above 2015; 30 % a year from there reaches the 120 of 2017."""
    _, series = measured["T002"]
    base = Decimal(series["base_value"])
    assert base == (Decimal(107) / Decimal("1.52")).quantize(Decimal("0.01"))
    assert ((Decimal(120) / base).sqrt() - 1) * 100 == pytest.approx(Decimal("30.6"), abs=Decimal("0.1"))


def test_only_logistics_cost_is_better_when_lower(measured):
    lower = [target_id for target_id, (_, series) in measured.items() if series["better"] == "lower"]
    assert lower == ["T063"]
    assert "下降到" in measured["T063"][0]["phrase"]


def test_about_has_a_tolerance_and_nothing_else_has(measured):
    tolerances = {
        target_id: series["tolerance"] for target_id, (_, series) in measured.items() if series["tolerance"]
    }
    assert tolerances == {"T063": "0.65", "T064": "1"}
    for target_id, (target, _) in measured.items():
        assert (target["comparator"] == "about") == (target_id in tolerances)
        if target_id in tolerances:
            assert Decimal(tolerances[target_id]) == Decimal(target["value"]) * Decimal("0.05")


def test_a_target_is_measured_in_its_own_unit_and_its_kind_fits_the_words(measured):
    for target_id, (target, series) in measured.items():
        assert series["unit"] == target["unit"], target_id
        is_new = target["indicator"].startswith(("新建", "新引进", "新增", "新开", "引进"))
        assert (series["measure_kind"] == "annual_flow") == is_new, target_id
        assert (series["measure_kind"] == "qualitative") == (target["kind"] == "qualitative"), target_id
        if target["unit"] == "%":
            assert series["measure_kind"] in ("share", "growth", "average_growth"), target_id
        assert bool(series["better"]) == (target["kind"] == "target")


def test_a_department_finds_every_target_under_the_words_of_the_plan(measured):
    for target_id, (target, series) in measured.items():
        wanted = series["growth_indicator"] or series["indicator"]
        assert codes.department_indicator_of(target["indicator"]) == wanted, target_id


def test_every_published_figure_of_wuhan_and_hubei_is_a_known_series(given_table):
    known_without_series = {
        "服务进出口总额、服务出口额年均增长",
        "服务贸易直报(外包)监测企业",
    }  # targets of others; a coverage
    for row in given_table("wuhan_hubei_published_actuals"):
        if row["indicator"] not in known_without_series:
            assert codes.department_indicator_of(row["indicator"]) is not None, row["indicator"]


def test_a_share_of_goods_trade_never_feeds_the_share_of_foreign_trade(table):
    canonical = {row["indicator"]: row["canonical_indicator"] for row in table("department_series")}
    assert canonical["服务贸易占货物贸易比重"] != canonical["服务贸易占对外贸易比重"]
    assert canonical["服务外包执行额"] != canonical["服务外包离岸合同执行额"]


# Tasks --------------------------------------------------------------------------------------------------------


def test_the_forty_tasks_stand_cell_by_cell_in_the_annex(table, seed):
    tasks = table("tasks")
    assert [row["task_no"] for row in tasks] == [str(number) for number in range(1, 41)]
    text = seed("001_5712e3620262e150.txt")
    for row in tasks:
        for column in CARRIED_TASK_COLUMNS:
            assert row[column]
            assert normalised(row[column]) in text, (row["task_no"], column)


def test_tasks_equal_the_tables_of_facts(table, given_table):
    tasks = table("tasks")
    assert [(row["task_no"], *(row[column] for column in CARRIED_TASK_COLUMNS)) for row in tasks] == [
        (row["no"], *(row[column] for column in CARRIED_TASK_COLUMNS))
        for row in given_table("tasks_annex_2016")
    ]
    parsed = (
        "lead",
        "supporters",
        "supporter_count",
        "start_year",
        "start_half",
        "schedule_form",
        "ocr_note",
    )
    given = ("lead_only", "support", "n_support", "start_year", "start_half", "form", "ocr_note")
    assert [tuple(row[column] for column in ("task_no", *parsed)) for row in tasks] == [
        tuple(row[column] for column in ("no", *given)) for row in given_table("tasks_annex_2016_parsed")
    ]


def test_schedules_are_28_10_1_and_1(table):
    assert Counter(row["schedule"] for row in table("tasks")) == {
        "2016年上半年启动": 28,
        "2016年下半年启动": 10,
        "2016年上半年": 1,
        "2017年启动": 1,
    }


def test_a_parsed_task_says_what_its_cell_says(table):
    for row in table("tasks"):
        assert row["lead_department"].startswith(row["lead"]), row["task_no"]
        assert row["schedule"].startswith(row["start_year"])
        assert (row["schedule_form"] == "start") == row["schedule"].endswith("启动")
        assert {"H1": "上半年", "H2": "下半年", "": ""}[row["start_half"]] in row["schedule"]
        supporters = row["supporters"].split("、") if row["supporters"] else []
        assert int(row["supporter_count"]) == len(supporters), row["task_no"]


def test_every_target_has_english_words_for_the_english_sheets(table, measured):
    english = {row["text_zh"]: row["text_en"] for row in table("english_labels")}
    for target, _ in measured.values():
        for column in ("area", "indicator"):
            assert english.get(target[column]), target[column]
        assert target["unit"] in ("", "%") or english.get(target["unit"]), target["unit"]
