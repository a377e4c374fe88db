"""`servtrade template`: blank forms of a month, for one enterprise or for all of the register."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import MONTH, common, json_option
from pipelines.cli.stores import ledger_to_read, person
from pipelines.cli.terminal import Terminal, on_one_line, write_new
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.ledger.actors import Actor
    from pipelines.reception.blank_forms import BlankForm, BlankForms


@click.command()
@click.option("--month", type=MONTH, required=True, help="报告期月份 / reference month")
@click.option(
    "--enterprise", "codes", multiple=True, help="统一社会信用代码，可重复 / credit code, may be repeated"
)
@click.option(
    "--all", "is_all", is_flag=True, help="名录中该月应报的全部企业 / every enterprise expected to file"
)
@click.option(
    "--form", "forms", multiple=True, help="只要这些报表，如 FM-2，可重复 / only these forms, may be repeated"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help=".xlsx 文件、.zip 文件或文件夹 / a .xlsx file, a .zip file or a folder",
)
@click.option("--force", is_flag=True, help="覆盖已有文件 / overwrite files that exist")
@common
@json_option
@click.pass_obj
def template(
    terminal: Terminal,
    month: Month,
    codes: tuple[str, ...],
    is_all: bool,
    forms: tuple[str, ...],
    out: Path,
    force: bool,
    as_json: bool,
) -> None:
    """生成某月的空白报表：一家企业一个文件，或全部企业（ZIP 或文件夹）。

    Blank forms of a month: own code and name filled in and locked, lists to choose from, limits as the verdict
    has them, items and partners of the last accepted return with empty amounts. Without --form each enterprise
    gets the forms that are due and that it files. Writes nothing into the ledger.
    """
    if is_all == bool(codes):
        raise terminal.fail(Exit.USAGE, "template_who")
    suffix = out.suffix.lower()
    if suffix == ".xlsx" and (is_all or len(codes) > 1):
        raise terminal.fail(Exit.USAGE, "template_one_file", path=out)
    from pipelines.ledger.actors import Actor
    from pipelines.reception.blank_forms import BlankForms, NoBlankForm

    with ledger_to_read(terminal.settings) as ledger:
        blank_forms = BlankForms(terminal.settings, ledger)
        actor = Actor.operator(person())
        wanted = None if is_all else codes
        try:
            written = _write(terminal, blank_forms, actor, month, wanted, forms, out, force=force)
        except NoBlankForm as error:
            raise CommandFailed(Exit.USAGE, error.wording.zh, error.wording.en) from error
    if as_json:
        terminal.json(
            {"reference_month": str(month), "count": len(written), "out": str(out), "forms": written}
        )
    else:
        terminal.note(terminal.word("template_written", count=len(written), path=on_one_line(str(out))))
        joint = sum(form["period"] != str(month) for form in written)
        if joint:
            terminal.note(terminal.word("template_joint", count=joint))


def _write(
    terminal: Terminal,
    blank_forms: BlankForms,
    actor: Actor,
    month: Month,
    codes: tuple[str, ...] | None,
    forms: tuple[str, ...],
    out: Path,
    *,
    force: bool,
) -> list[dict[str, object]]:
    """Write the file, the ZIP or the folder; an object a workbook. Nothing is written where something is refused."""
    from pipelines.reception.blank_forms import archived

    with terminal.progress(terminal.word("template_progress")) as tell:
        made = list(
            blank_forms.many(
                month,
                actor,
                enterprise_codes=codes,
                form_codes=forms,
                progress=lambda done, _total: tell(done),
            )
        )
    suffix = out.suffix.lower()
    if suffix == ".xlsx":
        write_new(out, made[0].content, force=force, terminal=terminal)
    elif suffix == ".zip":
        write_new(out, archived(made), force=force, terminal=terminal)
    else:
        standing = [out / form.file_name for form in made if (out / form.file_name).exists()]
        if standing and not force:
            raise terminal.fail(Exit.CONFLICT, "exists", path=standing[0])
        for form in made:
            write_new(out / form.file_name, form.content, force=force, terminal=terminal)
    return [_object(form) for form in made]


def _object(form: BlankForm) -> dict[str, object]:
    return {
        "enterprise_code": form.enterprise_code,
        "enterprise_name": form.enterprise_name,
        "file": form.file_name,
        "forms": list(form.form_codes),
        "carried_from": str(form.carried_from) if form.carried_from else None,
        "carried_rows": form.carried_row_count,
        "is_revision": form.is_revision,
        "period": str(form.period),
    }
