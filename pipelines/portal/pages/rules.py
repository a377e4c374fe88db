"""The rule catalogue: what is asked of a file, with an example, and how often each rule fires.

The rules themselves are for everybody who has signed in: nobody should be judged by what he cannot read. How often
they fire is for those who see returns.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines.ledger import Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.rule_counts import RuleCounts
from pipelines.portal.access import Trouble, Visitor, allowed
from pipelines.portal.frame import NavigationItem, page
from pipelines.validation.catalogue import CatalogueEntry, catalogue_entries

router = APIRouter()
NAVIGATION = (NavigationItem("/rules", "rules.navigation", place=70),)

_WHO_SEES_COUNTS = (Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)
_KINDS = ("reader", "return", "table")


@router.get("/rules")
def rules(
    request: Request,
    severity: str = "",
    form: str = "",
    q: str = "",
    visitor: Visitor = Depends(allowed()),
) -> Response:
    """Every rule, by severity, form and words."""
    entries = [
        entry
        for entry in catalogue_entries().values()
        if (not severity or entry.severity.value == severity)
        and (not form or form in entry.forms)
        and _mentions(entry, q.strip())
    ]
    counts = _counts(request, visitor)
    return page(
        request,
        "rules.html",
        visitor,
        groups=[(kind, [entry for entry in entries if entry.kind == kind]) for kind in _KINDS],
        forms=sorted({name for entry in catalogue_entries().values() for name in entry.forms}),
        severity=severity,
        form=form,
        q=q,
        counts=counts,
        shown_count=len(entries),
    )


@router.get("/rules/{rule}")
def one_rule(request: Request, rule: str, visitor: Visitor = Depends(allowed())) -> Response:
    """One rule: meaning, example, what to do, and in which months it fired."""
    entry = catalogue_entries().get(rule)
    if entry is None:
        raise Trouble(404)
    counts = _counts(request, visitor)
    return page(
        request,
        "rule.html",
        visitor,
        entry=entry,
        count=counts.of(rule) if counts is not None else None,
        may_list=visitor.has(*_WHO_SEES_COUNTS),
    )


def _counts(request: Request, visitor: Visitor) -> RuleCounts | None:
    if not visitor.has(*_WHO_SEES_COUNTS):
        return None
    ledger: Ledger = request.app.state.ledger
    return ledger.rule_counts()


def _mentions(entry: CatalogueEntry, words: str) -> bool:
    """Whether the rule's number or one of its texts has these words."""
    texts = (entry.rule, entry.meaning.zh, entry.meaning.en, entry.help.zh, entry.help.en)
    return not words or any(words.casefold() in text.casefold() for text in texts)
