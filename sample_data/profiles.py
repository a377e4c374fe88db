"""What kinds of enterprise the synthetic city has: trade, industry codes, items, partners and weight.

The structure imitates Wuhan's: engineering design and construction abroad, software outsourcing, freight,
travel agencies, imports of intellectual property by manufacturers. Sizes of single enterprises are not here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ItemShare:
    """An EBOPS item of a profile: its part of the profile's exports and imports, and the remote share asked for."""

    item_code: str
    export_weight: float
    import_weight: float
    export_remote_pct: int | None = None
    import_remote_pct: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of enterprise. Export and import weights are 亿美元 of the city in a year around 2019."""

    key: str
    count_per_hundred: int
    trade_name: str
    industry_codes: tuple[str, ...]
    export_weight: float
    import_weight: float
    items: tuple[ItemShare, ...]
    partners: tuple[str, ...]
    districts: tuple[str, ...]
    partner_count: tuple[int, int] = (2, 4)
    outsourcing_types: tuple[str, ...] = ()
    is_seasonal: bool = False  # works a part of the year only and files 零报 for the rest


_OPTICS_VALLEY = ("4201Z1", "4201Z1", "4201Z1", "420111", "420106", "4201Z2")
_CENTRE = ("420102", "420103", "420106", "420106", "420104", "420105")
_LOGISTICS = ("420112", "4201Z3", "420117", "420116", "420102", "420105")
_INDUSTRY = ("4201Z2", "420115", "420107", "4201Z1", "420114", "420113")

_ADVANCED = ("USA", "JPN", "DEU", "GBR", "FRA", "NLD", "SGP", "KOR", "CHE", "SWE", "CAN", "HKG", "IRL", "ITA")
_BELT_AND_ROAD = (
    "PAK",
    "BGD",
    "ETH",
    "KEN",
    "KAZ",
    "MYS",
    "IDN",
    "ARE",
    "SAU",
    "LAO",
    "KHM",
    "AGO",
    "DZA",
    "UZB",
    "VNM",
    "EGY",
)
_NEIGHBOURS = ("HKG", "JPN", "KOR", "SGP", "TWN", "THA", "VNM", "MYS")
_TOURISM = ("JPN", "THA", "HKG", "USA", "FRA", "KOR", "AUS", "GBR", "SGP", "ITA", "MAC", "TWN", "NZL", "RUS")
_SHIPPING = ("HKG", "SGP", "USA", "JPN", "KOR", "DEU", "NLD", "DNK", "FRA", "RUS", "KAZ", "POL", "GBR", "AUS")

PROFILES: tuple[Profile, ...] = (
    Profile(
        "software", 21, "软件技术", ("6513", "6519", "6531", "6511", "6560"), 19.5, 3.6,
        (ItemShare("SI21", 5, 4, 85, 90), ItemShare("SI22", 4, 3, 80, 85), ItemShare("SJ1", 1, 1, 75, 80)),
        ("JPN", "USA", "HKG", "DEU", "GBR", "SGP", "FRA", "KOR", "IRL", "CAN"), _OPTICS_VALLEY,
        outsourcing_types=("ITO", "ITO", "ITO", "BPO"),
    ),
    Profile(
        "process_outsourcing", 7, "信息服务", ("6550", "7243", "6540"), 4.6, 0.9,
        (ItemShare("SI22", 3, 1, 80, 80), ItemShare("SJ213", 2, 2, 70, 65), ItemShare("SJ35", 3, 1, 60, 55)),
        ("USA", "JPN", "HKG", "SGP", "GBR", "AUS", "PHL", "IND"), _OPTICS_VALLEY,
        outsourcing_types=("BPO", "KPO", "BPO"),
    ),
    Profile(
        "engineering_design", 9, "工程设计", ("7484", "7483", "7481"), 9.0, 2.2,
        (ItemShare("SJ312", 6, 4, 60, 55), ItemShare("SJ311", 2, 2, 55, 60), ItemShare("SE1", 3, 0.6)),
        _BELT_AND_ROAD, ("420106", "420106", "420111", "420105", "4201Z1"), (3, 5),
    ),
    Profile(
        "construction", 7, "建设工程", ("4813", "4811", "4790", "4819", "4840"), 12.2, 2.4,
        (ItemShare("SE1", 8, 1), ItemShare("SE2", 0.3, 2), ItemShare("SJ312", 1, 1, 40, 45)),
        _BELT_AND_ROAD, ("420106", "420107", "420105", "420111", "420102"), (3, 6),
    ),
    Profile(
        "sea_and_rail_freight", 9, "国际货运", ("5821", "5810", "5521", "5320", "5522"), 6.0, 15.5,
        (ItemShare("SC12", 5, 9), ItemShare("SC32", 3, 2), ItemShare("SC13", 2, 3)),
        _SHIPPING, _LOGISTICS, (3, 5),
    ),
    Profile(
        "air_freight", 4, "航空服务", ("5612", "5631", "5611"), 2.6, 5.4,
        (ItemShare("SC22", 4, 5), ItemShare("SC23", 2, 2), ItemShare("SC21", 1, 3)),
        ("USA", "JPN", "KOR", "HKG", "FRA", "GBR", "RUS", "THA"), ("420116", "420116", "420112"),
    ),
    Profile(
        "courier", 1, "国际快递", ("6020",), 0.5, 0.7, (ItemShare("SC4", 1, 1),),
        _NEIGHBOURS, ("420112", "420103"), (3, 5),
    ),
    Profile(
        "travel", 9, "国际旅行社", ("7291",), 3.4, 46.0,
        (ItemShare("SDB3", 5, 6), ItemShare("SDA2", 2, 1.6), ItemShare("SDB2", 0, 3)),
        _TOURISM, _CENTRE, (3, 6),
    ),
    Profile(
        "university", 2, "大学教育", ("8341",), 0.8, 0.4,
        (ItemShare("SDB2", 6, 2), ItemShare("SK22", 1, 1, 60, 60)),
        ("PAK", "KOR", "THA", "RUS", "FRA", "USA", "KAZ", "VNM"), ("420111", "420106"), (4, 6),
    ),
    Profile(
        "technology_importer", 8, "智能制造", ("3611", "3976", "2710", "3974", "3612"), 1.9, 19.5,
        (ItemShare("SH2", 2, 8, 100, 100), ItemShare("SH1", 1, 4, 100, 100), ItemShare("SJ1", 2, 4, 80, 75)),
        ("JPN", "DEU", "FRA", "USA", "CHE", "KOR", "GBR", "SWE"), _INDUSTRY,
    ),
    Profile(
        "research", 4, "生物研发", ("7340", "7320", "7310"), 2.4, 2.2,
        (ItemShare("SJ1", 5, 3, 85, 80), ItemShare("SJ313", 2, 2, 70, 70), ItemShare("SH2", 0.6, 1, 100, 100)),
        _ADVANCED, ("4201Z1", "4201Z1", "420111"), outsourcing_types=("KPO",),
    ),
    Profile(
        "processing", 2, "精密加工", ("3919", "3913"), 2.3, 0.3, (ItemShare("SA", 1, 1),),
        _NEIGHBOURS, _INDUSTRY,
    ),
    Profile(
        "repair", 2, "维修工程", ("4343", "4342", "4350"), 1.6, 1.0, (ItemShare("SB", 1, 1),),
        ("SGP", "HKG", "DEU", "JPN", "GRC", "NOR"), ("420116", "420107", "420117"),
    ),
    Profile(
        "insurance", 2, "财产保险", ("6820",), 0.7, 3.1,
        (ItemShare("SF12", 2, 2, 100, 100), ItemShare("SF2", 1, 5, 100, 100)),
        ("HKG", "DEU", "CHE", "GBR", "SGP"), _CENTRE,
    ),
    Profile(
        "banking", 1, "金融服务", ("6621",), 0.6, 1.0, (ItemShare("SG1", 1, 1, 100, 100),),
        ("HKG", "USA", "GBR", "SGP"), _CENTRE,
    ),
    Profile(
        "telecommunication", 1, "通信网络", ("6311", "6312"), 0.9, 0.8, (ItemShare("SI1", 1, 1, 100, 100),),
        ("HKG", "USA", "JPN", "SGP", "DEU"), ("420103", "420102"), (3, 4),
    ),
    Profile(
        "culture", 3, "影视文化", ("8730", "8810", "8890"), 1.2, 1.1,
        (ItemShare("SK1", 3, 3, 75, 80), ItemShare("SK23", 1, 1, 30, 25), ItemShare("SH4", 0.6, 1.4, 100, 100)),
        ("USA", "GBR", "FRA", "JPN", "KOR", "HKG", "ITA"), _CENTRE,
    ),
    Profile(
        "chinese_medicine", 1, "中医药", ("8412",), 0.3, 0.05,
        (ItemShare("SK21", 2, 1, 55, 60), ItemShare("SDB1", 1, 0.3)),
        ("RUS", "KAZ", "THA", "AUS", "USA"), ("420106", "420103"),
    ),
    Profile(
        "professional", 3, "商务咨询", ("7241", "7231", "7249"), 1.2, 5.6,
        (ItemShare("SJ213", 3, 4, 65, 65), ItemShare("SJ211", 1, 2, 70, 70), ItemShare("SJ212", 1, 1, 70, 75)),
        _ADVANCED, _CENTRE,
    ),
    Profile(
        "trade_agents", 2, "贸易代理", ("5181", "5189"), 1.7, 2.1,
        (ItemShare("SJ34", 4, 4, 95, 95), ItemShare("SJ22", 1, 2, 70, 70)),
        _NEIGHBOURS, ("420112", "420103", "4201Z3"),
    ),
    Profile(
        "exhibition", 2, "会展策划", ("7284", "7281"), 0.0, 0.0, (ItemShare("SJ22", 1, 1, 40, 45),),
        ("HKG", "DEU", "JPN", "KOR"), ("420105", "420102"), (1, 2), is_seasonal=True,
    ),
)  # fmt: skip


def profile_sequence() -> tuple[Profile, ...]:
    """A hundred places, largest profiles first among equals and well mixed: any prefix looks like the city."""
    total = sum(profile.count_per_hundred for profile in PROFILES)
    placed: list[tuple[float, int, Profile]] = []
    for order, profile in enumerate(PROFILES):
        step = total / profile.count_per_hundred
        placed.extend((step * (turn + 0.5), order, profile) for turn in range(profile.count_per_hundred))
    return tuple(profile for _, _, profile in sorted(placed, key=lambda place: place[:2]))
