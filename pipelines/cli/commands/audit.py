"""`servtrade audit`: whether the log of acts is whole, what stands in it, and copies of it to keep elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import common, json_ahead, json_option
from pipelines.cli.stores import ledger_of, ledger_to_read, person
from pipelines.cli.terminal import Terminal
from pipelines.cli.words import moment, said

if TYPE_CHECKING:
    from pipelines.ledger.actors import Actor
    from pipelines.ledger.audit import AuditFilter, SignedHead

_DAY = click.DateTime(["%Y-%m-%d"])
Command = TypeVar("Command", bound=Callable[..., Any])


def _filters(command: Command) -> Command:
    for option in (
        click.option("--until", type=_DAY, help="到这一天为止 / up to this day"),
        click.option("--since", type=_DAY, help="从这一天起 / from this day"),
        click.option("--object", "object_id", default="", help="对象编号 / id of what was acted on"),
        click.option("--kind", default="", help="对象种类，如 submission / kind of object"),
        click.option("--action", default="", help="动作或其开头，如 account / the action or its beginning"),
        click.option("--actor", default="", help="谁 / who"),
    ):
        command = option(command)
    return command


def _filter(
    actor: str, action: str, kind: str, object_id: str, since: datetime | None, until: datetime | None
) -> AuditFilter:
    from pipelines.ledger.audit import AuditFilter

    return AuditFilter(actor, action, kind, object_id, _date(since), _date(until))


def _operator() -> Actor:
    from pipelines.ledger.actors import Actor

    return Actor.operator(person())


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


@click.group()
@common
@json_ahead
def audit() -> None:
    """审计日志：核验、列出、导出。 / The audit log: verify, list, export."""


@audit.command()
@click.option(
    "--head",
    "head_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="先前导出的首部或 ndjson 文件，可重复 / a head or an ndjson export of earlier; may be repeated",
)
@common
@json_option
@click.pass_obj
def verify(terminal: Terminal, head_files: tuple[Path, ...], as_json: bool) -> None:
    """核验日志有无被改动、删除、插入、调换或截断；有问题时退出码为 1，缺少封存它的密钥时为 4。

    Whether any entry was changed, taken out, put in, moved, or the end cut off; exit code 1 if so, 4 where that cannot
    be told because the key that seals the log is not here. With heads that were exported earlier and kept elsewhere, also a log that was rewritten whole or set back to an older copy shows.
    """
    from pipelines.ledger.audit import is_whole

    heads = [head for file in head_files for head in _heads_in(file)]
    with ledger_to_read(terminal.settings) as ledger:
        faults = ledger.audit.verify(heads)
        newest = ledger.audit.head()
    whole = is_whole(faults)
    if as_json:
        terminal.json(
            {
                "is_whole": whole,
                "faults": [
                    {
                        "sequence": fault.sequence,
                        "kind": fault.kind,
                        "is_tampering": fault.is_tampering,
                        "message": fault.wording.as_json(),
                    }
                    for fault in faults
                ],
                "head": newest.as_json(),
            }
        )
        raise click.exceptions.Exit({True: Exit.OK, False: Exit.DATA_ERRORS, None: Exit.ENVIRONMENT}[whole])
    # What keeps the log from being checked is said once: as why the command fails.
    unchecked = [fault.wording for fault in faults if whole is None and fault.is_unchecked]
    for fault in faults:
        if fault.wording not in unchecked:
            terminal.result(said(fault.wording, terminal.language))
    if whole:
        terminal.result(terminal.word("audit_whole", count=newest.sequence, head=newest.entry_hash[:16]))
    if not newest.key_id:
        terminal.note(terminal.word("audit_no_key"))
    if whole is False:
        count = sum(fault.is_tampering for fault in faults)
        raise terminal.fail(Exit.DATA_ERRORS, "audit_broken", count=count)
    if unchecked:
        raise CommandFailed(
            Exit.ENVIRONMENT, "".join(one.zh for one in unchecked), " ".join(one.en for one in unchecked)
        )


@audit.command()
@click.option("--reason", required=True, help="理由，记入审计日志 / why; kept in the audit log")
@common
@json_option
@click.pass_obj
def acknowledge(terminal: Terminal, reason: str, as_json: bool) -> None:
    """说明日志为何缺少已封存的条目（例如恢复了旧备份），记入日志，此后核验不再提示。

    Answer for sealed entries that the log no longer has, after an older backup was restored, say. It is written into
    the log, and `verify` tells of them no longer. Look into it first: a log that was emptied or cut short looks alike.
    """
    with ledger_of(terminal.settings) as ledger:
        lost = ledger.audit.acknowledge(_operator(), reason=reason)
    if as_json:
        terminal.json({"entries": [one.sequence for one in lost]})
    elif lost:
        numbers = ", ".join(str(one.sequence) for one in lost)
        terminal.note(terminal.word("audit_acknowledged", numbers=numbers))
    else:
        terminal.note(terminal.word("audit_nothing_lost"))


@audit.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="最多几条 / at most so many")
@common
@json_option
@click.pass_obj
def list_entries(
    terminal: Terminal,
    actor: str,
    action: str,
    kind: str,
    object_id: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """列出日志，最新的在前。 / List entries, newest first."""
    filters = _filter(actor, action, kind, object_id, since, until)
    with ledger_to_read(terminal.settings) as ledger:
        page = ledger.audit.entries(filters, reader=_operator(), page_size=limit)
    if as_json:
        terminal.json(
            {
                "entry_count": page.entry_count,
                "entries": [
                    {
                        "sequence": entry.sequence,
                        "at": entry.at.isoformat(),
                        "actor": entry.actor,
                        "action": entry.action,
                        "object_kind": entry.object_kind,
                        "object_id": entry.object_id,
                        "old": entry.old,
                        "new": entry.new,
                        "reason": entry.reason,
                        "address": entry.address,
                    }
                    for entry in page.entries
                ],
            }
        )
        return
    terminal.table(
        [
            "#",
            terminal.pick("时间", "time"),
            terminal.pick("谁", "who"),
            terminal.pick("动作", "action"),
            terminal.pick("对象", "object"),
            terminal.pick("理由", "reason"),
        ],
        [
            [
                entry.sequence,
                moment(entry.at, seconds=True),
                entry.actor,
                entry.action,
                f"{entry.object_kind} {entry.object_id}",
                entry.reason,
            ]
            for entry in page.entries
        ],
        right={0},
    )
    if page.entry_count > len(page.entries):
        terminal.note(terminal.word("audit_more", count=page.entry_count - len(page.entries)))


@audit.command()
@click.argument("target", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "ndjson"]),
    default="ndjson",
    help="ndjson 末行为签名首部 / the last line of ndjson is the signed head",
)
@click.option("--head-only", is_flag=True, help="只导出签名首部 / the signed head only")
@click.option("--force", is_flag=True, help="覆盖已有文件 / overwrite the file")
@_filters
@common
@json_option
@click.pass_obj
def export(
    terminal: Terminal,
    target: Path,
    file_format: str,
    head_only: bool,
    force: bool,
    actor: str,
    action: str,
    kind: str,
    object_id: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """导出日志到 TARGET（- 为标准输出）；导出本身也记入日志。

    Export entries to TARGET (- is standard output), earliest first. That this was done stands in the log itself. Keep
    exported heads on another machine: `servtrade audit verify --head FILE` holds the log to them.
    """
    from pipelines.ledger.audit import NewEntry

    is_stream = str(target) == "-"
    if not is_stream and target.exists() and not force:
        raise terminal.fail(Exit.CONFLICT, "exists", path=target)
    operator = _operator()
    count = 0
    filters = _filter(actor, action, kind, object_id, since, until)
    with ledger_of(terminal.settings) as ledger:
        if head_only:
            ledger.audit.record(operator, [NewEntry("audit.head_exported", "audit", "head")])
            text = json.dumps({"head": ledger.audit.head().as_json()}, ensure_ascii=False) + "\n"
            if is_stream:
                click.echo(text, nl=False)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        elif is_stream:
            ledger.audit.export(
                _StandardOutput(),
                "csv" if file_format == "csv" else "ndjson",
                filters,
                reader=operator,
            )
            return
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.incoming")
            with aside.open("w", encoding="utf-8", newline="") as stream:
                count = ledger.audit.export(
                    stream, "csv" if file_format == "csv" else "ndjson", filters, reader=operator
                )
            aside.replace(target)
    if as_json:
        terminal.json({"file": str(target), "entries": count})
    else:
        terminal.note(terminal.word("written", path=target))


class _StandardOutput(io.TextIOBase):
    """Standard output as something to write to."""

    def write(self, text: str) -> int:
        click.echo(text, nl=False)
        return len(text)


def _heads_in(file: Path) -> list[SignedHead]:
    """Signed heads in an export; entries beside them are passed over. Raises CommandFailed where there is none."""
    from pipelines.ledger.audit import SignedHead

    heads = []
    try:
        for line in file.read_text(encoding="utf-8-sig").splitlines():
            content = json.loads(line) if line.strip() else {}
            if isinstance(content, dict) and isinstance(content.get("head"), dict):
                heads.append(SignedHead.from_json(content["head"]))
    except (UnicodeDecodeError, ValueError, RecursionError):
        heads = []
    if not heads:
        raise CommandFailed(
            Exit.USAGE,
            f"{file} 中没有审计日志的签名首部。请用 servtrade audit export 导出的 ndjson 文件。",
            f"{file} holds no signed head of an audit log. Give an ndjson file of servtrade audit export.",
        )
    return heads
