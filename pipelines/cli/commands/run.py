"""`servtrade run`: the Dagster job `monthly`, in this process, recorded like any other run."""

from __future__ import annotations

import os
import time
import uuid
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import CommandFailed, Exit, known_failure, write_fault_log
from pipelines.cli.held import told
from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.stores import ledger_to_read, prepare_dagster, prepare_folders
from pipelines.cli.terminal import Terminal
from pipelines.cli.words import said
from pipelines.periods import Month

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

    from pipelines.settings import Settings

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did: its id in Dagster, how long it took, checks that failed by month and rule, months held."""

    run_id: str
    seconds: float
    months: tuple[Month, ...]
    failed_checks: tuple[dict[str, Any], ...]
    held: tuple[Month, ...]


@click.command()
@click.option("--month", type=MONTH, help="只计算一个月 / one month")
@click.option("--all", "all_months", is_flag=True, help="所有有报送的月份 / every month with returns")
@click.option("--from", "first", type=MONTH, help="自该月起 / from this month")
@click.option("--to", "last", type=MONTH, help="至该月止 / to this month")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=WAIT_SECONDS,
    show_default=True,
    help="数据仓库被占用时等待的秒数 / seconds to wait while another run holds the warehouse",
)
@common
@json_option
@click.pass_obj
def run(
    terminal: Terminal,
    month: Month | None,
    all_months: bool,
    first: Month | None,
    last: Month | None,
    wait: float,
    as_json: bool,
) -> None:
    """计算各月全部统计表、检查和送审稿。 / Compute every table, check and draft of the months.

    The same job as in Dagster's pages, in this process; its record shows there. Exit code 1 when a month was
    held back by a fault of a whole table, 5 when another run holds the warehouse longer than --wait.
    """
    if sum((month is not None, all_months, first is not None or last is not None)) != 1:
        raise click.UsageError("--month, --all, --from/--to: 请选择其一 / choose one of them")
    settings = terminal.settings
    with ledger_to_read(settings) as ledger:
        known = ledger.filed_months(only_standing=True)
    if not known and month is None and (first is None or last is None):
        raise terminal.fail(Exit.USAGE, "run_no_months")
    wanted = [month] if month else list(Month.span(first or known[0], last or known[-1]))
    if not wanted:
        raise click.UsageError("--from 晚于 --to / --from is later than --to")
    outcome = compute(terminal, settings, wanted, wait_seconds=wait)
    later = [each for each in known if wanted[-1] < each and each.year <= wanted[-1].year + 1]
    report(terminal, settings, outcome, as_json=as_json)
    if later and not as_json:
        terminal.note(
            terminal.word(
                "run_later",
                month=wanted[-1],
                later=f"{later[0]}..{later[-1]}" if len(later) > 1 else later[0],
            )
        )
    raise click.exceptions.Exit(Exit.DATA_ERRORS if outcome.held else Exit.OK)


def compute(
    terminal: Terminal, settings: Settings, months: list[Month], *, wait_seconds: float = WAIT_SECONDS
) -> RunOutcome:
    """Run the job `monthly` over these months; raises CommandFailed when it did not get through.

    A month that a table-level fault holds back is no failure here: the others were computed and drafted.
    """
    prepare_folders(settings)
    prepare_dagster(settings)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    _wait_for_warehouse(terminal, settings, wait_seconds)
    from dagster import BetaWarning, DagsterInstance

    # Dagster announces its own beta parameters whenever it copies a sensor; nobody here can act on that.
    warnings.simplefilter("ignore", category=BetaWarning)
    from assets.definitions import defs
    from assets.partitions import months as partitions

    outside = [month for month in months if not partitions.has_partition_key(str(month))]
    if outside:
        raise terminal.fail(
            Exit.USAGE,
            "run_outside",
            months=_span_text(outside),
            first=partitions.get_first_partition_key(),
            last=partitions.get_last_partition_key(),
        )
    job = defs.resolve_job_def("monthly")
    run_id = str(uuid.uuid4())
    started = time.monotonic()
    label = terminal.word("running", months=_span_text(months))
    with (
        DagsterInstance.get() as instance,
        terminal.progress(label, len(job.nodes)) as advance,
    ):
        steps_done = 0

        def follow(event: Any) -> None:
            nonlocal steps_done
            dagster_event = event.dagster_event
            if dagster_event is not None and dagster_event.is_step_success:
                steps_done += 1
                advance(steps_done)

        instance.add_event_listener(run_id, follow)
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            partition_key=str(months[0]) if len(months) == 1 else None,
            tags=_range_tags(months),
            run_config={
                # What steps log is in the run's record; on the terminal it would drown the answer.
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "resources": {"warehouse": {"config": {"wait_seconds": wait_seconds}}},
            },
        )
        outcome = _outcome(result, months, time.monotonic() - started)
    if not result.success and not outcome.held:
        raise _failure(terminal, settings, result)
    return outcome


def _wait_for_warehouse(terminal: Terminal, settings: Settings, wait_seconds: float) -> None:
    """Wait here, saying for whom, so that a busy warehouse does not leave a failed run in Dagster's record."""
    from pipelines.warehouse.connection import LockHolder, open_warehouse

    def tell(holder: LockHolder) -> None:
        wording = holder.wording()
        terminal.note(
            terminal.word("waiting", holder=terminal.pick(wording.zh, wording.en), seconds=wait_seconds)
        )

    with open_warehouse(
        settings, wait_seconds=wait_seconds, purpose="servtrade run: asking / 询问", on_wait=tell
    ):
        pass


def _range_tags(months: list[Month]) -> dict[str, str]:
    tags = {"servtrade/started_by": "command line"}
    if len(months) > 1:
        tags["dagster/asset_partition_range_start"] = str(months[0])
        tags["dagster/asset_partition_range_end"] = str(months[-1])
    return tags


def _outcome(result: ExecuteInProcessResult, months: list[Month], seconds: float) -> RunOutcome:
    failed = []
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.passed:
            continue
        failed.append(
            {
                "rule": evaluation.check_name,
                "table": ".".join(evaluation.asset_key.path),
                "month": evaluation.partition,
                "severity": evaluation.metadata["severity"].value,
                "rows_failed": evaluation.metadata["rows_failed"].value,
                "first_failing": evaluation.metadata["first_failing"].value,
            }
        )
    held: list[Month] = []
    for event in result.get_step_failure_events():
        cause = event.step_failure_data.user_failure_data
        if cause is not None and "held_months" in cause.metadata:
            months_json: Any = cause.metadata["held_months"].value
            held = [Month.parse(text) for text in months_json]
    return RunOutcome(result.run_id, seconds, tuple(months), tuple(failed), tuple(held))


def _failure(terminal: Terminal, settings: Settings, result: ExecuteInProcessResult) -> CommandFailed:
    """The first thing that went wrong, in a sentence; the whole of it in a log."""
    reasons = []
    for event in result.all_events:
        data = event.event_specific_data
        error = getattr(data, "error", None)
        if event.is_failure and error is not None:
            reasons.append(error)
    if any(error.cls_name == "DagsterExecutionInterruptedError" for error in reasons):
        return terminal.fail(Exit.INTERRUPTED, "interrupted")
    known = next((found for error in reasons if (found := _known(error)) is not None), None)
    if known is not None:
        return known
    text = "\n\n".join(error.to_string() for error in reasons) or "the run ended without success"
    path = write_fault_log(RuntimeError(text), settings.data_dir, ["run"])
    deepest = reasons[0] if reasons else None
    while deepest is not None and deepest.cause is not None:
        deepest = deepest.cause
    first_line = deepest.message.strip().splitlines()[0] if deepest is not None else text
    return terminal.fail(Exit.BUG, "run_failed", reason=first_line, run_id=result.run_id, path=path)


def _known(error: Any) -> CommandFailed | None:
    """A failure that Dagster has turned into text, if it is one of those that people must act on."""
    while error is not None:
        name = error.cls_name or ""
        stand_in = type(name, (Exception,), {})(error.message.partition(": ")[2].strip() or error.message)
        failure = known_failure(stand_in)
        if failure is not None:
            return failure
        error = error.cause
    return None


def report(terminal: Terminal, settings: Settings, outcome: RunOutcome, *, as_json: bool) -> None:
    from pipelines.publication.holds import held

    reasons = {month: told(settings, month, held(settings, month)) for month in outcome.held}
    if as_json:
        terminal.json(
            {
                "run_id": outcome.run_id,
                "months": [str(month) for month in outcome.months],
                "held_months": [str(month) for month in outcome.held],
                "seconds": round(outcome.seconds, 3),
                "held_reasons": {
                    str(month): [wording.as_json() for wording in wordings]
                    for month, wordings in reasons.items()
                },
                "failed_checks": list(outcome.failed_checks),
                "drafts": str(settings.drafts_dir),
            }
        )
        return
    for wordings in reasons.values():
        for wording in wordings:
            terminal.warn(said(wording, terminal.language))
    drafted = [month for month in outcome.months if month not in outcome.held]
    if not drafted:
        return
    terminal.note(
        terminal.word(
            "run_done",
            count=len(drafted),
            months=_span_text(drafted),
            seconds=outcome.seconds,
            path=settings.drafts_dir,
        )
    )


def _span_text(months: list[Month]) -> str:
    return str(months[0]) if len(months) == 1 else f"{months[0]}..{months[-1]}"
