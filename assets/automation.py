"""What starts by itself: the inbox is emptied, months to which something was added are computed again, and
the month before is computed on the 11th at six.

Every sensor says why it does nothing. What a job does is in the assets; here is only when.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import dagster as dg

from assets.described import asset_key
from assets.ledger_state import STATE_METADATA, month_states, state_text
from assets.resources import Bureau
from pipelines.ledger import SHANGHAI
from pipelines.periods import Month
from pipelines.reception import receive_inbox as receive_files
from pipelines.reception import waiting_files

CELLS_KEY = asset_key("raw.return_cell")

monthly = dg.define_asset_job(
    "monthly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="各月全部统计表及检查 / every table and check of the month, and its draft",
)


@dg.op(description="收取收件夹中的文件 / take in the files that lie in the inbox")
def take_in_inbox(context: dg.OpExecutionContext, bureau: Bureau) -> None:
    """Through the one door into the ledger; an answer then lies beside each file, in processed/."""
    with bureau.ledger() as ledger:
        results = receive_files(bureau.settings, ledger, received_by="dagster")
    for result in results:
        context.log.info(f"{result.name}: {result.verdict.value}, {len(result.findings)} findings")
    context.add_output_metadata({"files": len(results)})


@dg.job(
    name="receive_inbox",
    executor_def=dg.in_process_executor,
    description="收件夹里的文件经同一道门进入账本 / files in the inbox through the one door into the ledger",
)
def receive_inbox() -> None:
    take_in_inbox()


@dg.sensor(
    job=receive_inbox,
    name="inbox",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="收件夹有新文件时收取 / takes in files that were dropped into the inbox",
)
def inbox(context: dg.SensorEvaluationContext, bureau: Bureau) -> dg.SensorResult | dg.SkipReason:
    """One run for what lies there; the same files unchanged never ask for a second."""
    settings = bureau.settings
    if not settings.inbox_dir.is_dir():
        return dg.SkipReason(f"There is no inbox folder {settings.inbox_dir}; run `servtrade init`.")
    files = waiting_files(settings)
    if not files:
        return dg.SkipReason("The inbox is empty.")
    fingerprint = inbox_fingerprint(files)
    if context.cursor == fingerprint:
        return dg.SkipReason(
            f"The {len(files)} files in the inbox were handed to a run already and have not changed since; "
            "see the latest run of receive_inbox."
        )
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"inbox:{fingerprint}")], cursor=fingerprint)


def inbox_fingerprint(files: Iterable[Path]) -> str:
    """The same for the same files: names, sizes and times of change. A file that is gone meanwhile is left out."""
    digest = hashlib.sha256()
    for path in files:
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ctime_ns}\n".encode())
    return digest.hexdigest()[:16]


@dg.sensor(
    job=monthly,
    name="new_submissions",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="有新报送或新核实时重算有关月份 / computes months again to which something was added",
)
def new_submissions(context: dg.SensorEvaluationContext, bureau: Bureau) -> dg.SensorResult | dg.SkipReason:
    """One run a month whose figures no longer show what the ledger holds, earliest month first.

    A month is up to date when it was last computed with the state of the ledger that it has now: so a month
    computed from the command line is not asked for again, and the same file twice asks for nothing.
    """
    with bureau.ledger() as ledger:
        states = month_states(ledger.changes(), ledger.filed_months(only_standing=True))
    if not states:
        return dg.SkipReason("The ledger holds no return of any month yet.")
    # The newest of each kind: a month reopened long after it was filed is news as well.
    newest = tuple(max(numbers) for numbers in zip(*states.values(), strict=True))
    cursor = state_text(newest)
    if context.cursor == cursor:
        return dg.SkipReason(f"Nothing was filed or confirmed since submission {newest[0]}.")
    computed = computed_states(context.instance, states)
    behind = [month for month in sorted(states) if computed.get(month) != state_text(states[month])]
    if not behind:
        context.update_cursor(cursor)
        return dg.SkipReason(
            f"Every month was computed with all that was filed up to submission {newest[0]}."
        )
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(partition_key=str(month), run_key=f"{month}:{state_text(states[month])}")
            for month in behind
        ],
        cursor=cursor,
    )


def computed_states(instance: dg.DagsterInstance, wanted: Iterable[Month]) -> dict[Month, str]:
    """With which state of the ledger each month was last computed; months never computed are left out."""
    found: dict[Month, str] = {}
    for month in wanted:
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=CELLS_KEY, asset_partitions=[str(month)]), limit=1
        ).records
        if not records:
            continue
        event = records[0].asset_materialization
        entry = event.metadata.get(STATE_METADATA) if event is not None else None
        if entry is not None:
            found[month] = str(entry.value)
    return found


@dg.schedule(
    cron_schedule="0 6 11 * *",
    job=monthly,
    name="monthly_on_the_11th",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="每月11日6时计算上月 / the month before, on the 11th at 06:00 Shanghai time",
)
def monthly_on_the_11th(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Returns are due on the 10th; what is still missing then shows in the tables as not filed."""
    due: datetime = context.scheduled_execution_time.astimezone(SHANGHAI)
    month = Month.of(due.date()).previous
    return dg.RunRequest(partition_key=str(month), run_key=f"schedule:{month}")
