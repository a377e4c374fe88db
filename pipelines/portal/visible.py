"""Which returns a visitor may see: asked of the ledger by every page and every download, and nowhere else.

What is not there and what belongs to somebody else are answered alike.
"""

from __future__ import annotations

from pipelines.ledger import Ledger, RecordedFiling, Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.reviews import SubmissionView

# Who has to do with returns at all; officials see aggregates, administrators no statistics.
RETURN_ROLES = (Role.REPORTER, Role.CLERK, Role.DISTRICT_REVIEWER, Role.ANALYST)


def view_for(ledger: Ledger, actor: Actor, submission_id: str) -> SubmissionView:
    """Everything about a submission that this actor may see. Raises UnknownSubmission, which becomes a 404."""
    return ledger.reviews.view(submission_id, actor)


def has_filed(view: SubmissionView, actor: Actor) -> bool:
    """Whether this actor has handed in this file, at its first or a later arrival."""
    return bool(actor.name) and any(filing.received_by == actor.name for filing in view.filings)


def may_have_file_itself(view: SubmissionView, actor: Actor) -> bool:
    """Whether the file may be given to this visitor as it came, formulas and all.

    To the enterprise, and to whoever handed it in. Others get a copy with values only: a workbook of somebody
    else is not opened with what it may do.
    """
    return is_own(view.submission, actor) or has_filed(view, actor)


def is_own(submission: Submission, actor: Actor) -> bool:
    """Whether this is a return of an enterprise that the actor speaks for."""
    return Role.REPORTER in actor.roles and submission.enterprise_code in actor.enterprise_codes


def arrivals_for(view: SubmissionView, actor: Actor) -> list[RecordedFiling]:
    """The arrivals of the file that this actor may know of, earliest first.

    Of a file of which nobody can say whose it is, a person knows only what that person handed in: that somebody
    else sent the same bytes, and under which name, is not told.
    """
    if actor.sees_all_enterprises or view.submission.enterprise_code:
        return view.filings
    return [filing for filing in view.filings if filing.received_by == actor.name]
