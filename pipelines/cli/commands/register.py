"""`servtrade register`: the register of enterprises, from a CSV or a workbook into the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import MONTH, common, json_ahead, json_option
from pipelines.cli.stores import acting, ledger_of, ledger_to_read
from pipelines.cli.terminal import Terminal, on_one_line
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.ledger.register import LifeEvent
    from pipelines.ledger.shapes import RegisterRow
    from pipelines.reception.register_file import RegisterFile

# As the ledger has them; a test compares.
EVENT_KINDS = (
    "entered",
    "left",
    "merged",
    "moved_district",
    "changed_industry",
    "changed_class",
    "changed_contact",
)
CLASSES = ("key", "ordinary")


@click.group()
@common
@json_ahead
def register() -> None:
    """企业名录。 / The register of enterprises."""


@register.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
@json_option
@click.pass_obj
def import_register(terminal: Terminal, file: Path, as_json: bool) -> None:
    """导入名录（CSV 或 .xlsx）。 / Import the register from a CSV (UTF-8, GB18030) or a workbook.

    Columns: enterprise_code, enterprise_name, district_code; optional industry_code, enterprise_class, from_month,
    to_month, contact, phone; or in Chinese 统一社会信用代码、企业名称、所在区（代码或名称）；行业代码、企业类别（重点或一般）、
    起始月份、终止月份、联系人、联系电话。 An enterprise may stand in several rows, one a stretch of months. Importing
    the same file twice changes nothing; what the file does not say, or leaves blank, stays as it is.
    """
    from pipelines.ledger.register import RowsRefused
    from pipelines.ledger.shapes import CannotChangeRegister
    from pipelines.reception.register_file import refused_rows

    found = _read(file)
    rows = [row for _, row in found.rows]
    _expect_no_problems(terminal, file, found)
    with ledger_of(terminal.settings) as ledger:
        try:
            changed = ledger.register.import_rows(rows, acting(None))
        except RowsRefused as error:
            _expect_no_problems(terminal, file, refused_rows(found, error))
            raise
        except CannotChangeRegister as error:
            raise CommandFailed(Exit.DATA_ERRORS, error.wording.zh, error.wording.en) from error
    enterprises = len({row.enterprise_code for row in rows})
    if as_json:
        terminal.json({"rows": len(rows), "enterprises": enterprises, "changed": changed})
    else:
        terminal.note(
            terminal.word("register_imported", rows=len(rows), enterprises=enterprises, changed=changed)
        )


@register.command("list")
@click.option("--month", type=MONTH, help="该月应报的企业 / enterprises expected to file in this month")
@common
@json_option
@click.pass_obj
def list_register(terminal: Terminal, month: Month | None, as_json: bool) -> None:
    """列出名录。 / List the register."""
    with ledger_to_read(terminal.settings) as ledger:
        spells = [
            spell
            for spell in ledger.enterprises()
            if month is None
            or (
                (spell.from_month_start_date is None or spell.from_month_start_date <= month.start_date)
                and (spell.to_month_start_date is None or month.start_date <= spell.to_month_start_date)
            )
        ]
    if as_json:
        terminal.json(
            {
                "month": str(month) if month else None,
                "enterprises": [
                    {
                        "enterprise_code": spell.enterprise_code,
                        "enterprise_name": spell.enterprise_name,
                        "district_code": spell.district_code,
                        "industry_code": spell.industry_code,
                        "from_month": _month_text(spell.from_month_start_date),
                        "to_month": _month_text(spell.to_month_start_date),
                    }
                    for spell in spells
                ],
            }
        )
        return
    terminal.table(
        [
            terminal.pick("统一社会信用代码", "enterprise code"),
            terminal.pick("单位名称", "name"),
            terminal.pick("区", "district"),
            terminal.pick("行业", "industry"),
            terminal.pick("自", "from"),
            terminal.pick("至", "to"),
        ],
        [
            [
                spell.enterprise_code,
                spell.enterprise_name,
                spell.district_code,
                spell.industry_code,
                _month_text(spell.from_month_start_date),
                _month_text(spell.to_month_start_date),
            ]
            for spell in spells
        ],
    )


@register.command()
@click.argument("kind", type=click.Choice(EVENT_KINDS))
@click.argument("enterprise")
@click.option("--month", type=MONTH, required=True, help="自该月起 / from which month on")
@click.option("--name", default="", help="单位名称（新纳入的企业） / name, of an enterprise that is new")
@click.option("--district", default="", help="所在区，代码或名称 / district, code or name")
@click.option("--industry", default="", help="行业代码 / industry code")
@click.option("--class", "class_", type=click.Choice(CLASSES), help="重点或一般 / key or ordinary")
@click.option("--into", default="", help="并入的企业 / the enterprise it was merged into")
@click.option("--contact", default="", help="联系人 / contact")
@click.option("--phone", default="", help="电话 / telephone")
@click.option("--reason", default="", help="原因（退出、并入时必填） / why; needed for left and merged")
@click.option(
    "--by", default=None, help="经手人，默认为当前用户 / who does this; the current user by default"
)
@common
@json_option
@click.pass_obj
def event(
    terminal: Terminal,
    kind: str,
    enterprise: str,
    month: Month,
    name: str,
    district: str,
    industry: str,
    class_: str | None,
    into: str,
    contact: str,
    phone: str,
    reason: str,
    by: str | None,
    as_json: bool,
) -> None:
    """记录企业变动：纳入、退出、并入、迁区、变更行业、类别或联系人。 / Record what became of an enterprise.

    KIND is what happened, ENTERPRISE the credit code. An event holds from its month on; one that was wrong is voided,
    never deleted. What would change a closed month is refused.
    """
    from pipelines.ledger import CannotChangeRegister, EnterpriseClass, EventKind, UnknownEnterprise
    from pipelines.ledger.register import NewEvent

    new = NewEvent(
        enterprise,
        EventKind(kind),
        month,
        district_code=district,
        industry_code=industry,
        enterprise_class=EnterpriseClass(class_) if class_ else None,
        successor_code=into,
        contact=contact,
        phone=phone,
        reason=reason,
        enterprise_name=name,
    )
    with ledger_of(terminal.settings) as ledger:
        try:
            done = ledger.register.record(new, acting(by))
        except UnknownEnterprise as error:
            raise terminal.fail(Exit.USAGE, "unknown_enterprise", code=on_one_line(enterprise)) from error
        except CannotChangeRegister as error:
            # An option that is wrong: usage. What the register as it is does not allow is a conflict.
            if error.field:
                raise CommandFailed(
                    Exit.USAGE, on_one_line(error.wording.zh), on_one_line(error.wording.en)
                ) from error
            raise
    if as_json:
        terminal.json(_event_json(done))
        return
    terminal.note(
        terminal.word(
            "event_recorded", code=done.enterprise_code, event=kind, month=str(month), number=done.event_id
        )
    )


@register.command()
@click.argument("enterprise")
@common
@json_option
@click.pass_obj
def events(terminal: Terminal, enterprise: str, as_json: bool) -> None:
    """列出一家企业的变动，包括作废的。 / List what became of an enterprise, void events too."""
    from pipelines.ledger import UnknownEnterprise

    with ledger_to_read(terminal.settings) as ledger:
        try:
            found = ledger.register.events(enterprise.strip().upper(), acting(None))
        except UnknownEnterprise as error:
            raise terminal.fail(Exit.USAGE, "unknown_enterprise", code=on_one_line(enterprise)) from error
    if as_json:
        terminal.json(
            {"enterprise_code": enterprise.strip().upper(), "events": [_event_json(one) for one in found]}
        )
        return
    if not found:
        terminal.note(terminal.word("no_events", code=on_one_line(enterprise)))
        return
    terminal.table(
        [
            terminal.pick("编号", "number"),
            terminal.pick("自", "from"),
            terminal.pick("变动", "event"),
            terminal.pick("内容", "what"),
            terminal.pick("来源", "source"),
            terminal.pick("经手人", "by"),
            terminal.pick("作废", "void"),
        ],
        [
            [
                one.event_id,
                one.from_month or "",
                one.event_kind.value,
                on_one_line(_event_text(one)),
                one.source,
                on_one_line(one.recorded_by),
                terminal.pick("是", "yes") if one.is_void else "",
            ]
            for one in found
        ],
        right={0},
    )


@register.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="为何作废 / why it is void")
@click.option(
    "--by", default=None, help="经手人，默认为当前用户 / who does this; the current user by default"
)
@common
@json_option
@click.pass_obj
def void(terminal: Terminal, number: int, reason: str, by: str | None, as_json: bool) -> None:
    """作废一条记错的变动。 / Mark an event as wrong; it stays on record. NUMBER is that of `register events`."""
    from pipelines.ledger import UnknownEnterprise

    with ledger_of(terminal.settings) as ledger:
        try:
            done = ledger.register.void(number, reason, acting(by))
        except UnknownEnterprise as error:
            raise terminal.fail(Exit.USAGE, "unknown_enterprise", code=str(number)) from error
    if as_json:
        terminal.json(_event_json(done))
    else:
        terminal.note(terminal.word("event_voided", number=number, code=done.enterprise_code))


def _event_text(one: LifeEvent) -> str:
    parts = [
        one.district_code,
        one.industry_code,
        one.enterprise_class,
        f"→ {one.successor_code}" if one.successor_code else "",
        one.contact,
        one.phone,
        one.reason,
    ]
    return " ".join(part for part in parts if part)


def _event_json(one: LifeEvent) -> dict[str, Any]:
    return {
        "number": one.event_id,
        "enterprise_code": one.enterprise_code,
        "event": one.event_kind.value,
        "from_month": str(one.from_month) if one.from_month else None,
        "district_code": one.district_code,
        "industry_code": one.industry_code,
        "enterprise_class": one.enterprise_class,
        "successor_code": one.successor_code,
        "contact": one.contact,
        "phone": one.phone,
        "reason": one.reason,
        "source": one.source,
        "recorded_by": one.recorded_by,
        "is_void": one.is_void,
        "voided_by": one.voided_by,
        "void_reason": one.void_reason,
    }


def register_rows(file: Path) -> tuple[list[RegisterRow], list[str]]:
    """The rows of a register file as the ledger takes them, and what is wrong with those that cannot be taken."""
    found = _read(file)
    return [row for _, row in found.rows], _problems(file, found)


def _read(file: Path) -> RegisterFile:
    from pipelines.reception.register_file import RegisterFileRefused, read_register_file

    try:
        return read_register_file(file.name, file.read_bytes())
    except RegisterFileRefused as refused:
        raise CommandFailed(
            Exit.REFUSED if refused.is_unsafe else Exit.DATA_ERRORS, refused.wording.zh, refused.wording.en
        ) from refused


def _problems(file: Path, found: RegisterFile) -> list[str]:
    return [
        f"{file.name}:{problem.row}: {problem.column_title} {problem.given!r} {problem.wording.zh} / "
        f"{problem.column} {problem.given!r}: {problem.wording.en}"
        for problem in found.problems
    ]


def _expect_no_problems(terminal: Terminal, file: Path, found: RegisterFile) -> None:
    problems = _problems(file, found)
    for problem in problems:
        terminal.warn(problem)
    if problems:
        raise CommandFailed(
            Exit.DATA_ERRORS,
            f"名录有 {len(problems)} 行不合要求，未导入任何一行。",
            f"{len(problems)} rows of the register cannot be used; none was imported.",
        )


def _month_text(day: Any) -> str | None:
    return None if day is None else f"{day:%Y-%m}"
