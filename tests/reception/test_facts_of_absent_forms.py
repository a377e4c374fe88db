"""The bench leaves out facts about forms that no file at hand holds: there are none, whatever lies on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from filed_by_hand import credit_code

from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI
from pipelines.reception import IncomingFile, Reception, workbench
from pipelines.warehouse.build import BuildResult
from sample_data.rule_samples import build

FORMS: dict[str, Any] = {
    "FM-1": {"pairs": {"industry_code": "6513", "district_code": "420111"}},
    "FM-2": "item_code|partner_code|export\nSJ35|USA|100\nSI2|JPN|50",
    "FM-3": (
        "contract_no|outsourcing_type|shore|partner_code|contract_amount|executed|executed_cumulative\n"
        "C1|ITO|离岸|USA|100|10|10"
    ),
    "FM-4": {
        "head": {"reference_month": "2019年"},
        "rows": "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
        "外向|甲|SGP|6513|80|900|600",
    },
}


def a_return(received: str, forms: dict[str, Any]) -> IncomingFile:
    name, content = build({"month": "2020-03", **forms}, credit_code(1), "示例一号服务有限公司")
    return IncomingFile(
        name, content, received_at=datetime.fromisoformat(f"{received}T09:00").replace(tzinfo=SHANGHAI)
    )


@pytest.mark.parametrize("form_code", ["FM-2", "FM-3"])
def test_facts_left_out_for_want_of_a_form_would_have_no_rows(
    reception: Reception, monkeypatch: pytest.MonkeyPatch, form_code: str
) -> None:
    whole = a_return("2020-04-05", FORMS)
    [result] = reception.submit([whole], channel="test", received_by="test")
    assert result.verdict is Verdict.ACCEPTED, result.findings
    asked_of = workbench._forms_judged_by()
    built: list[BuildResult] = []
    compute = workbench._build

    def noted(*arguments: Any) -> list[BuildResult]:
        results = compute(*arguments)
        built.extend(results)
        return results

    alone = a_return("2020-04-08", {"revision": True, form_code: FORMS[form_code]})
    [asked_of_some] = reception.check([alone])
    monkeypatch.setattr(workbench, "_forms_judged_by", dict)
    monkeypatch.setattr(workbench, "_build", noted)
    [asked_of_all] = reception.check([alone])

    row_counts = {result.table_name: result.row_count for result in built}
    left_out = {table for table, forms in asked_of.items() if form_code not in forms}
    assert left_out
    assert {table: row_counts[table] for table in left_out} == dict.fromkeys(left_out, 0)
    assert any(row_counts[table] for table in asked_of.keys() - left_out)
    assert asked_of_some.findings == asked_of_all.findings
