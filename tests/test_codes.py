"""The codes behind what clerks write: every list by its codes and names, and no guess where two are meant."""

import subprocess
import sys
import time
import unicodedata

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import codes
from pipelines.codes import (
    ancestors,
    children,
    currencies,
    currency,
    currency_code_of,
    department_indicator_of,
    district,
    district_code_of,
    districts,
    ebops_item,
    ebops_items,
    industry_code_of,
    item_code_of,
    main_item,
    mofcom_categories,
    partner,
    partner_code_of,
    partners,
)


def _full_width(text: str) -> str:
    """The text as a Chinese input method in full-width mode types it."""
    return "".join(
        chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else "　" if one == " " else one for one in text
    )


# Items --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("SI2", "SI2"),
        ("si2", "SI2"),
        (" SI2\n", "SI2"),
        ("ＳＩ２", "SI2"),
        ("S I2", "SI2"),
        ("计算机服务", "SI2"),
        ("计算机服务 ", "SI2"),
        ("SI2 计算机服务", "SI2"),
        ("SI2计算机服务", "SI2"),
        ("SI2-计算机服务", "SI2"),
        ("SI2：计算机服务", "SI2"),
        ("(SI2) 计算机服务", "SI2"),
        ("计算机服务（SI2）", "SI2"),
        ("ＳＩ２　计算机服务", "SI2"),
        ("SI2 计算机服务（含软件）", "SI2"),
        ("SI2 Computer services", "SI2"),
        ("其中：计算机服务", "SI2"),
        ("（一）运输", "SC"),
        ("1、运输", "SC"),
        ("1.运输", "SC"),
        ("9 Telecommunications, computer, and information services", "SI"),
        ("0 Total services", "S"),
        ("10 Other business services", "SJ"),
        ("8 Charges for the use of intellectual property", "SH"),
        ("电信、计算机和信息服务", "SI"),
        ("电信计算机和信息服务", "SI"),
        ("电信，计算机和信息服务", "SI"),
        ("计算机和信息服务", "SI"),
        ("个人、文化和娱乐服务", "SK"),
        ("个人文化和娱乐服务", "SK"),
        ("个人文化娱乐服务", "SK"),
        ("文化服务", "SK"),
        ("建筑", "SE"),
        ("建设", "SE"),
        ("建筑服务", "SE"),
        ("保险服务", "SF"),
        ("保险和养老金服务", "SF"),
        ("旅行", "SD"),
        ("旅游", "SD"),
        ("加工服务", "SA"),
        ("来料加工", "SA"),
        ("知识产权使用费", "SH"),
        ("专有权利使用费和特许费", "SH"),
        ("政府服务", "SL"),
        ("别处未提及的政府服务", "SL"),
        ("通讯", "SI1"),
        ("咨询", "SJ21"),
        ("广告宣传", "SJ22"),
        ("电影音像", "SK1"),
        ("医疗服务", "SK21"),
    ],
)
def test_an_item_is_known_by_code_name_and_every_alias_of_the_domain_note(written, code):
    assert item_code_of(written) == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "、",
        "1",
        "10",
        "9.2",
        "10.0",
        "SI9",
        "SX",
        "FM-2",
        "合计",
        "服务项目名称",
        "SI2 运输",
        "运输 SI2",
        "SC 计算机服务",
        "运输（SD）",
        "SE Sweden",
        "SG Singapore",
        "SA de CV",
        "SI-2",
        "SI2SC1",
        "运输旅行",
        "运输/旅行",
    ],
)
def test_what_names_no_item_or_two_is_nothing(written):
    assert item_code_of(written) is None


def test_trade_margins_are_read_but_are_no_item_of_the_classification():
    assert item_code_of("13 Distribution") == "SW"
    assert "SW" not in {item.code for item in ebops_items()}


@pytest.mark.parametrize("item", ebops_items(), ids=lambda item: item.code)
def test_every_item_is_found_by_code_by_name_by_both_and_in_full_width(item):
    for written in (
        item.code,
        item.code.lower(),
        item.name_zh,
        item.name_en,
        item.name_en.upper(),
        f"{item.code} {item.name_zh}",
        f"{item.code}{item.name_zh}",
        f"{item.code} {item.name_en}",
        f"{item.name_zh}（{item.code}）",
        _full_width(item.code),
        _full_width(f"{item.code} {item.name_zh}"),
    ):
        assert item_code_of(written) == item.code, written


def test_no_item_cell_with_the_name_of_another_passes():
    for one in ebops_items():
        for other in ebops_items():
            if one is not other:
                assert item_code_of(f"{one.code} {other.name_zh}") is None


@pytest.mark.parametrize("category", mofcom_categories(), ids=lambda category: category.item_code)
def test_every_category_of_mofcom_is_found_by_its_name(category):
    assert item_code_of(category.name_zh) == category.item_code
    assert item_code_of(category.name_zh.replace("、", "")) == category.item_code
    assert item_code_of(f"{category.display_order} {category.name_zh}") == category.item_code


def test_an_item_knows_what_it_is_part_of():
    assert ancestors("SJ211") == ("SJ21", "SJ2", "SJ", "S")
    assert ancestors("S") == ()
    assert main_item("SJ211") == "SJ"
    assert main_item("SC") == "SC"
    assert main_item("S") is None
    assert children("SI") == ("SI1", "SI2", "SI3")
    assert children("SJ211") == ()
    assert ebops_item("SI21").is_knowledge_intensive
    assert not ebops_item("SD").is_knowledge_intensive


@pytest.mark.parametrize("item", ebops_items(), ids=lambda item: item.code)
def test_levels_parents_ancestors_and_children_tell_the_same_tree(item):
    assert len(ancestors(item.code)) == item.level
    assert all(ebops_item(child).parent == item.code for child in children(item.code))
    if item.parent is not None:
        assert item.code in children(item.parent)
        assert ebops_item(item.parent).level == item.level - 1
    if item.level >= 1:
        assert ebops_item(main_item(item.code)).level == 1


@pytest.mark.parametrize("look_up", [ebops_item, partner, district, currency, ancestors, children, main_item])
def test_an_unknown_code_is_an_error_that_names_code_and_file(look_up):
    with pytest.raises(codes.UnknownCode, match=r"'ZZ9'.*sql/reference/.*\.csv"):
        look_up("ZZ9")


# Partners -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("USA", "USA"),
        ("usa", "USA"),
        ("US", "USA"),
        ("ＵＳＡ", "USA"),
        ("502", "USA"),
        ("502.0", "USA"),
        ("５０２", "USA"),
        ("美国", "USA"),
        (" 美 国", "USA"),
        ("美利坚合众国", "USA"),
        ("United States", "USA"),
        ("united states of america", "USA"),
        ("U.S.A.", "USA"),
        ("USA 美国", "USA"),
        ("USA美国", "USA"),
        ("502美国", "USA"),
        ("502 美国", "USA"),
        ("美国（USA）", "USA"),
        ("美国(502)", "USA"),
        ("US United States", "USA"),
        ("110", "HKG"),
        ("中国香港", "HKG"),
        ("香港", "HKG"),
        ("香港特别行政区", "HKG"),
        ("中国香港特别行政区", "HKG"),
        ("Hong Kong", "HKG"),
        ("Hong Kong, China", "HKG"),
        ("中国澳门", "MAC"),
        ("Macau", "MAC"),
        ("中国台湾", "TWN"),
        ("台湾", "TWN"),
        ("台湾省", "TWN"),
        ("韩国", "KOR"),
        ("大韩民国", "KOR"),
        ("Korea, Republic of", "KOR"),
        ("朝鲜", "PRK"),
        ("英国", "GBR"),
        ("大不列颠及北爱尔兰联合王国", "GBR"),
        ("UK", "GBR"),
        ("刚果（金）", "COD"),
        ("刚果(布)", "COG"),
        ("刚果民主共和国", "COD"),
        ("阿联酋", "ARE"),
        ("阿拉伯联合酋长国", "ARE"),
        ("俄罗斯联邦", "RUS"),
        ("Côte d'Ivoire", "CIV"),
        ("Cote d’Ivoire", "CIV"),
        ("中国", "CHN"),
        ("中国大陆", "CHN"),
        ("Indonesia", "IDN"),
        ("ID Indonesia", "IDN"),
        ("世界", "W1"),
        ("W1 World total", "W1"),
        ("W1 World Total", "W1"),
        ("其他", "_X"),
        ("其他国家（地区）", "_X"),
        ("未列明", "_X"),
        ("_X", "_X"),
        ("NI Nigeria", "NGA"),
        ("US United States inc Puerto Rico", "USA"),
        ("B5 Total EU28", "B5"),
    ],
)
def test_a_partner_is_known_by_its_codes_and_its_names_short_and_full(written, code):
    assert partner_code_of(written) == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        "—",
        "344",  # ISO's number of Hong Kong, the customs' number of Russia
        "840",
        "1",
        "XX",
        "X",
        "USA 英国",
        "英国 USA",
        "USA GBR",
        "美国（GBR）",
        "IN Indonesia",
        "NO partner",
        "IN transit",
        "刚果",
        "Korea",
        "维尔京群岛",
        "美国、英国",
        "美国/英国",
        "东南亚",
        "武汉",
        "合计",
        "国别（地区）",
    ],
)
def test_what_names_no_partner_or_could_name_two_is_nothing(written):
    assert partner_code_of(written) is None


@pytest.mark.parametrize("one", partners(), ids=lambda one: one.code)
def test_every_partner_is_found_by_code_by_name_and_by_both(one):
    for written in (
        one.code,
        one.code.lower(),
        one.alpha_2 or one.code,
        one.customs_code or one.code,
        one.name_zh,
        one.name_en,
        one.name_en.upper(),
        f"{one.code} {one.name_zh}",
        f"{one.name_zh}({one.code})",
        f"{one.code} {one.name_en}",
        f"{one.alpha_2 or one.code} {one.name_en}",
        _full_width(one.code),
    ):
        assert partner_code_of(written) == one.code, written


def test_no_two_partners_share_a_name_in_the_lists():
    holders = {}
    for one in partners():
        for name in {one.name_zh, one.name_en, one.full_name_zh, one.full_name_en, *one.other_names} - {""}:
            holders.setdefault(codes._key(name), set()).add(one.code)
    assert {key: held for key, held in holders.items() if len(held) > 1} == {}


def test_every_partner_and_item_label_of_the_published_workbook_is_known(shared):
    """ONS prints `NI Nigeria`, two spellings of the world, and items without their n.i.e."""
    workbook = openpyxl.load_workbook(shared / "real" / "ons_mos_exports_2019.xlsx")
    labels = {
        (row[0], row[3])
        for name in ("Modes 1, 2 and 4", "Mode 3")
        for row in workbook[name].iter_rows(min_row=2, values_only=True)
        if row[0] and row[3]
    }
    assert len(labels) > 100
    unknown = {partner for partner, item in labels if partner_code_of(partner) is None}
    unknown |= {item for partner, item in labels if item_code_of(item) is None}
    assert unknown == set()
    assert len({partner_code_of(partner) for partner, item in labels}) == len(
        {partner.casefold() for partner, item in labels}
    )


# Districts and currencies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("420106", "420106"),
        ("420106.0", "420106"),
        ("４２０１０６", "420106"),
        ("武昌区", "420106"),
        ("武昌", "420106"),
        ("武汉市武昌区", "420106"),
        ("湖北省武汉市武昌区", "420106"),
        ("420106 武昌区", "420106"),
        ("Wuchang District", "420106"),
        ("Jiang'an", "420102"),
        ("东湖高新区", "4201Z1"),
        ("武汉东湖新技术开发区", "4201Z1"),
        ("光谷", "4201Z1"),
        ("武汉经开区", "4201Z2"),
        ("武汉经济技术开发区", "4201Z2"),
        ("临空港经开区", "4201Z3"),
        ("东西湖区", "420112"),
        ("4201Z1 东湖新技术开发区", "4201Z1"),
    ],
)
def test_a_district_or_zone_is_known_by_code_and_by_the_names_in_use(written, code):
    assert district_code_of(written) == code


@pytest.mark.parametrize(
    "written", ["", "武汉", "武汉市", "420100", "420199", "朝阳区", "区", "420106 江汉区"]
)
def test_what_is_no_district_of_the_city_is_nothing(written):
    assert district_code_of(written) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("USD", "USD"),
        ("usd", "USD"),
        ("美元", "USD"),
        ("美金", "USD"),
        ("US$", "USD"),
        ("USD 美元", "USD"),
        ("美元（USD）", "USD"),
        ("人民币", "CNY"),
        ("RMB", "CNY"),
        ("￥", "CNY"),
        ("港币", "HKD"),
        ("欧元", "EUR"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("日元", "JPY"),
    ],
)
def test_a_currency_is_known_by_code_name_and_symbol(written, code):
    assert currency_code_of(written) == code


@pytest.mark.parametrize("written", ["", "元", "us", "$", "万美元", "USD 欧元", "XAU", "XXX"])
def test_what_is_no_currency_is_nothing(written):
    assert currency_code_of(written) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("6513", "6513"),
        ("I6513", "I6513"),
        ("ｉ６５１３", "I6513"),
        (" 651 ", "651"),
        ("65", "65"),
        ("6513.0", "6513"),
        ("0111", "0111"),
    ],
)
def test_an_industry_is_known_by_its_code_with_or_without_the_letter_of_its_section(written, code):
    assert industry_code_of(written) == code


@pytest.mark.parametrize(
    "written", ["", "垃圾", "9901", "0011", "6", "65130", "A6513", "I", "６５1３x", "-651"]
)
def test_what_is_no_industry_is_nothing(written):
    assert industry_code_of(written) is None


@pytest.mark.parametrize("one", [*districts(), *currencies()], ids=lambda one: one.code)
def test_every_district_and_currency_is_found_by_code_and_name(one):
    find = district_code_of if one in districts() else currency_code_of
    for written in (one.code, one.name_zh, one.name_en, f"{one.code} {one.name_zh}", _full_width(one.code)):
        assert find(written) == one.code, written


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("服务进出口总额", "服务贸易进出口总额"),
        ("服务贸易 进出口总额", "服务贸易进出口总额"),
        ("服务贸易占对外贸易（服务贸易＋货物贸易）比重", "服务贸易占对外贸易比重"),
        ("服务外包离岸执行额", "服务外包离岸合同执行额"),
        ("社会物流总费用占ＧＤＰ比重", "社会物流总费用占GDP比重"),
        ("新增（升级）国家A级物流企业数", "新增(升级)国家A级物流企业数"),
    ],
)
def test_a_departmental_indicator_has_one_name_whatever_its_spelling(written, name):
    assert department_indicator_of(written) == name


def test_two_indicators_that_sound_alike_stay_apart():
    assert (
        department_indicator_of("服务外包执行额") == "服务外包执行额"
    )  # onshore as well: not the offshore target
    assert department_indicator_of("服务贸易占货物贸易比重") == "服务贸易占货物贸易比重"  # S/G, not S/(S+G)
    assert department_indicator_of("地区生产总值") is None


# Any text -----------------------------------------------------------------------------------------------------

LOOK_UPS = {
    item_code_of: {item.code for item in ebops_items()} | {"SW"},
    partner_code_of: {one.code for one in partners()},
    district_code_of: {one.code for one in districts()},
    currency_code_of: {one.code for one in currencies()},
}
_PIECES = st.sampled_from(
    [item.code for item in ebops_items()]
    + [item.name_zh for item in ebops_items()]
    + [one.code for one in partners()]
    + [one.name_zh for one in partners()]
    + ["、", " ", "　", "(", "）", "：", "-", "1", "其中", "武汉市", "\n", ".0"]
)
_TEXTS = st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=4).map("".join))


@given(_TEXTS, st.sampled_from(list(LOOK_UPS)))
def test_any_text_gives_a_code_of_the_list_or_nothing(text, look_up):
    assert look_up(text) is None or look_up(text) in LOOK_UPS[look_up]


@given(_TEXTS, st.sampled_from(list(LOOK_UPS)))
def test_full_width_forms_and_blanks_at_the_ends_change_nothing(text, look_up):
    normalised = unicodedata.normalize("NFKC", text).strip()
    assert look_up(text) == look_up(f"　{normalised}\t\n")


@given(
    st.sampled_from([(item.name_zh, item.code) for item in ebops_items()]),
    st.sampled_from("、，,;；·.。 　-—()（）/\n"),
    st.integers(0, 40),
)
def test_a_name_of_an_item_survives_any_punctuation_inside_it(named, mark, place):
    name, code = named
    place = min(place, len(name))
    assert item_code_of(name[:place] + mark + name[place:]) == code


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000_000,
        "1." * 500_000,
        "SI2 " + "（" * 1_000_000,
        " " * 1_000_000,
        "a" + " " * 32_000 + "b",
        "A(" * 300_000,
        "a" + " " * 298 + "b",
    ],
)
def test_a_hostile_text_is_answered_at_once_and_not_remembered(text):
    began = time.process_time()
    assert [look_up(text) for look_up in LOOK_UPS] == [None] * len(LOOK_UPS)
    assert time.process_time() - began < 10  # no speed: a pattern that goes back and forth needs minutes


def test_every_name_of_the_lists_is_far_shorter_than_the_longest_text_looked_at():
    names = [item.name_en for item in ebops_items()] + [one.full_name_en for one in partners()]
    assert max(map(len, names)) * 2 < codes._LONGEST_TEXT


def test_reading_codes_needs_neither_babel_nor_pandas():
    program = (
        "import sys; from pipelines import codes; codes.item_code_of('旅行'); codes.partner_code_of('美国');"
        "print([name for name in ('babel', 'pycountry', 'pandas', 'pyarrow', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
