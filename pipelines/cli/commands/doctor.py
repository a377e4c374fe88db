"""`servtrade doctor`: what is missing on this machine, and what to do about it. It changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import Exit, known_failure
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import DAGSTER_FILE, dagster_template, ledger_to_read
from pipelines.cli.terminal import Terminal
from pipelines.findings import Wording
from pipelines.paths import HOUSE_DIR

if TYPE_CHECKING:
    from pipelines.ledger import Submission
    from pipelines.settings import Settings

DISTRIBUTION = "service-trade-monitor"
_PYTHON_RANGE = ((3, 11), (3, 14))
_FREE_BYTES_NEEDED = 1 << 30  # a city of 5,000 enterprises adds some 300 MB a year
_ORIGINALS_SAMPLED = 20
_CLOCK_TOLERANCE = timedelta(minutes=5)

_ASK_THE_MAINTAINERS = Wording("请把以上内容交给维护人员。", "Hand this to the maintainers.")
OK, NOTE, MISSING = "ok", "note", "missing"
_MARKS = {OK: "✓", NOTE: "·", MISSING: "✕"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: fine, worth knowing, or missing; `remedy` says what to do unless it is fine."""

    name: str
    status: str
    found: Wording
    remedy: Wording | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "found": self.found.as_json(),
            "remedy": self.remedy.as_json() if self.remedy else None,
        }


@click.command()
@common
@json_option
@click.pass_obj
def doctor(terminal: Terminal, as_json: bool) -> None:
    """检查本机环境：缺什么、怎么办；不做任何改动。

    Look at Python, packages, folders, ledger, warehouse, originals, clock and time zone; say what is missing
    and what to do. Changes nothing. Exit code 4 if something is missing.
    """
    settings = terminal.settings
    diagnoses = list(diagnose(settings))
    missing = [one for one in diagnoses if one.status == MISSING]
    if as_json:
        terminal.json(
            {
                "ok": not missing,
                "settings": {
                    "data_dir": str(settings.data_dir),
                    "ledger": _without_password(settings.ledger_url),
                    "language": settings.language,
                    "mode_profile": settings.mode_profile,
                    "services_source": settings.services_source,
                    "filing_deadline_day": settings.filing_deadline_day,
                    "reader_count": settings.reader_count,
                    "upload_daily_mib": settings.upload_daily_mib,
                    "free_disk_mib": settings.free_disk_mib,
                },
                "checks": [one.as_json() for one in diagnoses],
            }
        )
    else:
        for one in diagnoses:
            terminal.result(f"{_MARKS[one.status]} {one.name}: {terminal.pick(one.found.zh, one.found.en)}")
            if one.remedy:
                terminal.result(f"    → {terminal.pick(one.remedy.zh, one.remedy.en)}")
        terminal.note(terminal.word("doctor_missing" if missing else "doctor_ok", count=len(missing)))
    raise click.exceptions.Exit(Exit.ENVIRONMENT if missing else Exit.OK)


def diagnose(settings: Settings) -> Iterator[Diagnosis]:
    """Every check in order. A check that breaks is itself a finding; none stops the others."""
    checks: tuple[tuple[str, Callable[[Settings], Diagnosis]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("defusedxml", _defusedxml),
        ("readers", _readers),
        ("data_folder", _data_folder),
        ("disk", _disk),
        ("ledger", _ledger),
        ("key", _key),
        ("originals", _originals),
        ("lines", _lines),
        ("warehouse", _warehouse),
        ("dagster", _dagster),
        ("time_zone", _time_zone),
        ("clock", _clock),
        ("fonts", _fonts),
    )
    for name, check in checks:
        try:
            yield check(settings)
        except Exception as error:  # noqa: BLE001 - a broken machine is what is being looked for
            failure = known_failure(error)
            wording = failure.wording if failure else Wording(f"{error!r}", f"{error!r}")
            # A known failure says itself what to do.
            yield Diagnosis(name, MISSING, wording, None if failure else _ASK_THE_MAINTAINERS)


def _python(_settings: Settings) -> Diagnosis:
    found = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    if _PYTHON_RANGE[0] <= found < _PYTHON_RANGE[1]:
        return Diagnosis("python", OK, Wording(text, text))
    return Diagnosis(
        "python",
        MISSING,
        Wording(f"{text}，不在支持范围内", f"{text} is outside the supported range"),
        Wording("请安装 Python 3.11、3.12 或 3.13。", "Install Python 3.11, 3.12 or 3.13."),
    )


def _packages(_settings: Settings) -> Diagnosis:
    """Every declared dependency is there in a version that was declared."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    wrong: list[str] = []
    versions: list[str] = []
    for line in _requirements():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} ({requirement.specifier}) —")
            continue
        versions.append(f"{requirement.name} {found}")
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} {found} ({requirement.specifier})")
    if wrong:
        text = ", ".join(wrong)
        return Diagnosis(
            "packages",
            MISSING,
            Wording(f"缺少或版本不符：{text}", f"missing or of another version: {text}"),
            Wording(
                "请按 requirements/locked.txt 重新安装（make environment）。",
                "Install again from requirements/locked.txt (make environment).",
            ),
        )
    text = ", ".join(versions)
    return Diagnosis("packages", OK, Wording(text, text))


def _requirements() -> list[str]:
    """What this version declares: from the installed metadata, or from pyproject.toml in a bare checkout."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        return [line for line in requires(DISTRIBUTION) or [] if "extra ==" not in line]
    except PackageNotFoundError:
        import tomllib

        with (HOUSE_DIR / "pyproject.toml").open("rb") as file:
            declared: list[str] = tomllib.load(file)["project"]["dependencies"]
        return declared


def _defusedxml(_settings: Settings) -> Diagnosis:
    import openpyxl

    if openpyxl.DEFUSEDXML:
        return Diagnosis(
            "defusedxml", OK, Wording("openpyxl 已启用 defusedxml", "openpyxl reads through defusedxml")
        )
    return Diagnosis(
        "defusedxml",
        MISSING,
        Wording("openpyxl 未启用 defusedxml", "openpyxl does not read through defusedxml"),
        Wording(
            "请安装 defusedxml，并取消环境变量 OPENPYXL_DEFUSEDXML。",
            "Install defusedxml and unset OPENPYXL_DEFUSEDXML.",
        ),
    )


def _readers(_settings: Settings) -> Diagnosis:
    """A reader child starts, reads a small workbook under its limits and answers."""
    import io

    import xlsxwriter

    from pipelines.intake import ReaderPool

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        workbook.add_worksheet("doctor").write(0, 0, "servtrade doctor")
    with ReaderPool(1) as pool:
        [parsed] = list(pool.read_many([("doctor.xlsx", buffer.getvalue())]))
    rules = [finding.rule for finding in parsed.findings]
    if "G07" in rules or not rules:
        return Diagnosis(
            "readers",
            MISSING,
            Wording("读取工作簿的子进程没有正常回答", "the child that reads workbooks did not answer"),
            Wording(
                "请检查本机对子进程、内存和 CPU 时间的限制（ulimit、容器配额）。",
                "Check this machine's limits on child processes, memory and CPU time (ulimit, container quota).",
            ),
        )
    return Diagnosis(
        "readers", OK, Wording("读取子进程正常", "the child that reads workbooks starts and answers")
    )


def _data_folder(settings: Settings) -> Diagnosis:
    folder = settings.data_dir
    if not folder.exists():
        return Diagnosis(
            "data_folder",
            NOTE,
            Wording(f"{folder} 尚不存在", f"{folder} does not exist yet"),
            Wording("运行 servtrade init 建立。", "Make it with servtrade init."),
        )
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"servtrade doctor")
        file.flush()
        os.fsync(file.fileno())
    return Diagnosis("data_folder", OK, Wording(f"{folder} 可写", f"{folder} can be written"))


def _disk(settings: Settings) -> Diagnosis:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GB"
    if free < _FREE_BYTES_NEEDED:
        return Diagnosis(
            "disk",
            MISSING,
            Wording(f"剩余空间只有 {text}", f"only {text} free"),
            Wording("请清理磁盘或更换数据文件夹（SERVTRADE_DATA）。", "Make room, or move SERVTRADE_DATA."),
        )
    return Diagnosis("disk", OK, Wording(f"剩余 {text}", f"{text} free"))


def _ledger(settings: Settings) -> Diagnosis:
    if _ledger_is_missing(settings):
        return Diagnosis(
            "ledger",
            NOTE,
            Wording("尚未建立", "not there yet"),
            Wording("运行 servtrade init 建立。", "Make it with servtrade init."),
        )
    from pipelines.ledger import LedgerMissing, LedgerUnusable

    try:
        with ledger_to_read(settings) as ledger:
            submissions, enterprises = len(ledger.submissions()), len(ledger.enterprises())
    except LedgerMissing as error:
        return Diagnosis("ledger", NOTE, error.fault, error.remedy)
    except LedgerUnusable as error:
        return Diagnosis("ledger", MISSING, error.fault, error.remedy or _ASK_THE_MAINTAINERS)
    url = _without_password(settings.ledger_url)
    return Diagnosis(
        "ledger",
        OK,
        Wording(
            f"{url}：{submissions} 份报送，名录 {enterprises} 行",
            f"{url}: {submissions} submissions, {enterprises} rows of the register",
        ),
    )


def _key(settings: Settings) -> Diagnosis:
    """The key that the audit log is sealed with is there, and nobody else on this machine may read it."""
    if _ledger_is_missing(settings):
        return Diagnosis("key", NOTE, Wording("尚无", "none yet"))
    from pipelines.ledger import LedgerUnusable
    from pipelines.ledger.keys import KEY_FILE

    try:
        with ledger_to_read(settings) as ledger:
            fault = ledger.audit.key_fault()
    except LedgerUnusable:
        return Diagnosis("key", NOTE, Wording("未核对：账本读不出来，见上", "not compared: see the ledger"))
    if fault is not None:
        return Diagnosis("key", MISSING, fault.fault, fault.remedy)
    file = settings.secrets_dir / KEY_FILE
    if not file.exists():
        return Diagnosis("key", NOTE, Wording("尚无", "none yet"))
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return Diagnosis(
            "key",
            MISSING,
            Wording(
                f"{file} 的权限是 {mode:o}，他人也能读写", f"{file} has mode {mode:o}: others may use it too"
            ),
            Wording(f"运行 chmod 600 {file}。", f"Run chmod 600 {file}."),
        )
    return Diagnosis(
        "key", OK, Wording("与审计日志相符，仅本用户可读", "fits the audit log; only its owner may read it")
    )


def _lines(settings: Settings) -> Diagnosis:
    """Every lines file that the ledger names is there: without one nothing of its returns can be judged or computed."""
    submissions = None if _ledger_is_missing(settings) else _submissions(settings)
    if submissions is None:
        return Diagnosis(
            "lines", NOTE, Wording("尚无，或账本读不出来", "none yet, or the ledger cannot be read")
        )
    files = {one.lines_file for one in submissions} - {""}
    lost = sorted(file for file in files if not (settings.lines_dir / file).is_file())
    if lost:
        return Diagnosis(
            "lines",
            MISSING,
            Wording(
                f"{len(files)} 个逐格数据文件缺 {len(lost)} 个：{lost[0]}",
                f"{len(lost)} of {len(files)} files of cells are missing: {lost[0]}",
            ),
            Wording(
                "请从备份恢复 lines 文件夹，或运行 servtrade rebuild --lines 由原件重读。",
                "Restore the folder lines from a backup, or read the originals again: servtrade rebuild --lines.",
            ),
        )
    return Diagnosis("lines", OK, Wording(f"{len(files)} 个，齐全", f"{len(files)}, all there"))


def _submissions(settings: Settings) -> list[Submission] | None:
    """What the ledger knows; None where it cannot be read, which `_ledger` has said already."""
    from pipelines.ledger import LedgerUnusable

    try:
        with ledger_to_read(settings) as ledger:
            return ledger.submissions()
    except LedgerUnusable:
        return None


def _originals(settings: Settings) -> Diagnosis:
    """A sample of the originals, spread over all of them, is there and whole."""
    if _ledger_is_missing(settings):
        return Diagnosis("originals", NOTE, Wording("尚无原件", "none yet"))
    from pipelines.stores import Originals, StoreDamaged

    submissions = _submissions(settings)
    if submissions is None:
        return Diagnosis(
            "originals",
            NOTE,
            Wording("未抽查：账本读不出来，见上", "not sampled: the ledger cannot be read, see above"),
        )
    sha256s = [one.sha256 for one in submissions]
    originals = Originals(settings.originals_dir)
    step = max(1, len(sha256s) // _ORIGINALS_SAMPLED)
    sample = sha256s[::step][:_ORIGINALS_SAMPLED]
    damaged = []
    for sha256 in sample:
        try:
            originals.get(sha256)
        except StoreDamaged as error:
            damaged.append(str(error))
    if damaged:
        return Diagnosis(
            "originals",
            MISSING,
            Wording(
                f"抽查 {len(sample)} 份，{len(damaged)} 份缺失或被改动：{damaged[0]}",
                f"{len(damaged)} of {len(sample)} sampled are missing or altered: {damaged[0]}",
            ),
            Wording("请从备份恢复 originals 文件夹。", "Restore the folder originals from a backup."),
        )
    return Diagnosis(
        "originals",
        OK,
        Wording(f"抽查 {len(sample)} 份，均完好", f"{len(sample)} sampled, all as received"),
    )


def _warehouse(settings: Settings) -> Diagnosis:
    if not settings.warehouse_path.exists():
        return Diagnosis(
            "warehouse",
            NOTE,
            Wording("尚未建立", "not there yet"),
            Wording("运行 servtrade run --all 建立。", "servtrade run --all makes it."),
        )
    from pipelines.warehouse.connection import WarehouseBusy, open_warehouse

    size = settings.warehouse_path.stat().st_size / (1 << 20)
    try:
        with open_warehouse(settings, wait_seconds=0, purpose="servtrade doctor"):
            pass
    except WarehouseBusy as busy:
        return Diagnosis("warehouse", NOTE, busy.holder.wording())
    return Diagnosis("warehouse", OK, Wording(f"可用，{size:.0f} MB", f"free, {size:.0f} MB"))


def _dagster(settings: Settings) -> Diagnosis:
    file = settings.dagster_dir / DAGSTER_FILE
    if not file.exists():
        return Diagnosis(
            "dagster",
            NOTE,
            Wording("尚未建立", "not there yet"),
            Wording("运行 servtrade init 建立。", "Make it with servtrade init."),
        )
    if file.read_bytes() != dagster_template().read_bytes():
        return Diagnosis(
            "dagster",
            NOTE,
            Wording(f"{file} 与本版本自带的不同", f"{file} differs from the one of this version"),
            Wording(
                "如非有意修改，请删除后运行 servtrade init。",
                "If that is not on purpose, delete it and run servtrade init.",
            ),
        )
    return Diagnosis(
        "dagster", OK, Wording(f"DAGSTER_HOME={settings.dagster_dir}", f"DAGSTER_HOME={settings.dagster_dir}")
    )


def _time_zone(_settings: Settings) -> Diagnosis:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        offset = datetime.now(ZoneInfo("Asia/Shanghai")).utcoffset()
    except ZoneInfoNotFoundError:
        offset = None
    if offset != timedelta(hours=8):
        return Diagnosis(
            "time_zone",
            MISSING,
            Wording("没有 Asia/Shanghai 的时区数据", "there is no time zone data for Asia/Shanghai"),
            Wording(
                "请安装系统包 tzdata，或 Python 包 tzdata。", "Install tzdata, of the system or from PyPI."
            ),
        )
    return Diagnosis("time_zone", OK, Wording("Asia/Shanghai = UTC+8", "Asia/Shanghai = UTC+8"))


def _clock(settings: Settings) -> Diagnosis:
    """The clock is not behind what is known to have happened: this program's files, the newest filing."""
    now = datetime.now(UTC)
    latest = datetime.fromtimestamp((HOUSE_DIR / "pipelines" / "settings.py").stat().st_mtime, UTC)
    if not _ledger_is_missing(settings):
        latest = max([latest, *(one.received_at for one in _submissions(settings) or ())])
    text = now.astimezone().isoformat(timespec="seconds")
    if now + _CLOCK_TOLERANCE < latest:
        return Diagnosis(
            "clock",
            MISSING,
            Wording(
                f"{text}，早于已发生的事（{latest:%Y-%m-%d %H:%M} UTC）",
                f"{text} is earlier than what has happened already ({latest:%Y-%m-%d %H:%M} UTC)",
            ),
            Wording("请校准系统时钟（迟报以它判定）。", "Set the clock: lateness is told by it."),
        )
    return Diagnosis("clock", OK, Wording(text, text))


def _fonts(_settings: Settings) -> Diagnosis:
    """Workbooks name a font and carry none; the machine that prints them needs it, this one does not."""
    return Diagnosis(
        "fonts",
        OK,
        Wording(
            "不需要：统计表使用打开它的电脑上的宋体、黑体",
            "none needed: workbooks use those of the machine that opens them",
        ),
    )


def _ledger_is_missing(settings: Settings) -> bool:
    prefix = "sqlite:///"
    # os.path.exists, unlike Path.exists, answers False where a folder may not be entered.
    return settings.ledger_url.startswith(prefix) and not os.path.exists(  # noqa: PTH110
        settings.ledger_url.removeprefix(prefix)
    )


def _without_password(url: str) -> str:
    from pipelines.ledger import shown_url

    return shown_url(url)
