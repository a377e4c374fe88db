"""Which returns a visitor may see: asked in one place, for every page and every download.

What is not there and what belongs to somebody else are answered alike. The rule itself is the `Actor`'s.
"""

from __future__ import annotations

from pipelines.ledger import Ledger, Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.periods import Month
from pipelines.portal.access import Trouble
from pipelines.records import FileKind

# Who has to do with returns at all; officials see aggregates, administrators no statistics.
RETURN_ROLES = (Role.REPORTER, Role.CLERK, Role.DISTRICT_REVIEWER, Role.ANALYST)


def submission_for(ledger: Ledger, actor: Actor, submission_id: str) -> Submission:
    """The submission, if it is there and this actor may see it. Raises Trouble (404) otherwise."""
    found = ledger.submissions(submission_ids=[submission_id])
    if not found or not may_see(ledger, actor, found[0]):
        raise Trouble(404)
    return found[0]


def may_see(ledger: Ledger, actor: Actor, submission: Submission) -> bool:
    """Whether this actor may see this submission and what was found in it.

    A return is seen by its enterprise, its district and the bureau. A file of which nobody can say whose it is is
    seen by the bureau and by whoever handed it in.
    """
    if actor.sees_all_enterprises:
        return True
    if submission.kind is FileKind.DEPARTMENT:
        return False
    if submission.enterprise_code:
        month = None if submission.month_start_date is None else Month.of(submission.month_start_date)
        district_code = (
            district_of(ledger, submission.enterprise_code, month)
            if actor.has(Role.DISTRICT_REVIEWER)
            else ""
        )
        return actor.may_see(submission.enterprise_code, district_code)
    return has_filed(ledger, actor, submission)


def has_filed(ledger: Ledger, actor: Actor, submission: Submission) -> bool:
    """Whether this actor has handed in this file, at its first or a later arrival."""
    return bool(actor.name) and any(
        filing.received_by == actor.name for filing in ledger.filings(submission.submission_id)
    )


def may_have_file_itself(ledger: Ledger, actor: Actor, submission: Submission) -> bool:
    """Whether the file may be given to this visitor as it came, formulas and all.

    To the enterprise, and to whoever handed it in. Others get a copy with values only: a workbook of somebody
    else is not opened with what it may do.
    """
    is_own = Role.REPORTER in actor.roles and submission.enterprise_code in actor.enterprise_codes
    return is_own or has_filed(ledger, actor, submission)


def district_of(ledger: Ledger, enterprise_code: str, month: Month | None) -> str:
    """The district that answers for an enterprise in a month (without one: now); empty for one not on the register."""
    district_code = ""
    for spell in ledger.enterprises():
        if spell.enterprise_code != enterprise_code:
            continue
        district_code = spell.district_code
        if month is None:
            continue
        begins = spell.from_month_start_date
        ends = spell.to_month_start_date
        if (begins is None or begins <= month.start_date) and (ends is None or month.start_date <= ends):
            return district_code
    return district_code
