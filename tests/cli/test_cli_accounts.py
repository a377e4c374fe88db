"""Commands over accounts and the audit log, as an operator meets them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import create_engine, text

from pipelines.cli.commands.users import ROLE_NAMES
from pipelines.cli.exits import Exit
from pipelines.ledger.actors import Role
from pipelines.ledger.profiles import PasswordCost

Run = Callable[..., Result]
ONE_TIME = re.compile(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}")


@pytest.fixture
def bureau(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, quick_passwords: PasswordCost) -> Path:
    """A new data folder with its three administrators."""
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SERVTRADE_LANG", "zh")
    assert run("users", "init").exit_code == Exit.OK
    return tmp_path / "data"


def tamper(data: Path, statement: str) -> None:
    engine = create_engine(f"sqlite:///{data / 'ledger.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("drop trigger audit_entry_no_update"))
        connection.execute(text("drop trigger audit_entry_no_delete"))
        connection.execute(text(statement))
    engine.dispose()


def test_the_roles_of_the_command_are_the_roles_of_the_ledger() -> None:
    assert list(ROLE_NAMES) == [role.value for role in Role]


def test_the_first_run_gives_three_one_time_passwords_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SERVTRADE_LANG", "zh")
    first = run("users", "init")
    assert first.exit_code == Exit.OK
    given = ONE_TIME.findall(first.stdout)
    assert len(set(given)) == 3
    assert "只显示这一次" in first.stderr
    again = run("users", "init")
    assert again.exit_code == Exit.CONFLICT
    assert not ONE_TIME.findall(again.output)
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(password.encode() in content for password in given), path.name


def test_an_account_made_with_a_role_can_sign_in_and_is_listed(bureau: Path, run: Run) -> None:
    made = run("users", "add", "Li", "--name", "李统计员", "--role", "clerk", "--json")
    assert made.exit_code == Exit.OK
    [account] = json.loads(made.stdout)["accounts"]
    assert (account["login"], account["roles"], account["must_change_password"]) == ("li", ["clerk"], True)
    listed = run("users", "list")
    assert "李统计员" in listed.stdout
    assert not ONE_TIME.findall(listed.output)
    as_json = json.loads(run("users", "list", "--json").stdout)
    assert [one["login"] for one in as_json["accounts"]] == ["auditadmin", "li", "secadmin", "sysadmin"]


def test_a_role_that_cannot_be_granted_leaves_the_account_and_its_password(bureau: Path, run: Run) -> None:
    result = run("users", "add", "li", "--name", "李", "--role", "reporter")
    assert result.exit_code == Exit.CONFLICT
    assert "企业代码" in result.stderr
    assert len(ONE_TIME.findall(result.stdout)) == 1
    assert '"li"' in run("users", "list", "--json").stdout


def test_lock_unlock_grant_revoke_and_reset(bureau: Path, run: Run) -> None:
    run("users", "add", "li", "--name", "李", "--role", "clerk")
    assert run("users", "grant", "li", "analyst").exit_code == Exit.OK
    assert run("users", "revoke", "li", "clerk", "--reason", "岗位调整了").exit_code == Exit.OK
    locked = run("users", "lock", "li", "--reason", "离岗停用账号", "--json")
    assert json.loads(locked.stdout)["state"] == "locked"
    assert json.loads(run("users", "unlock", "li", "--json").stdout)["state"] == "active"
    reset = run("users", "reset", "li", "--reason", "本人遗忘密码")
    assert len(ONE_TIME.findall(reset.stdout)) == 1
    assert "servtrade users unlock li" in reset.stderr
    lifted = run("users", "reset", "li", "--second-factor", "--reason", "手机遗失核实")
    assert lifted.exit_code == Exit.OK
    assert not ONE_TIME.findall(lifted.output)
    told = json.loads(run("audit", "list", "--kind", "account", "--object", "li", "--json").stdout)
    assert [entry["action"] for entry in told["entries"]] == [
        "account.second_factor_reset",
        "account.password_reset",
        "account.unlocked",
        "account.locked",
        "role.revoked",
        "role.granted",
        "role.granted",
        "account.created",
    ]
    assert all(entry["actor"].startswith("cli:") for entry in told["entries"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("users", "lock", "nobody", "--reason", "离岗停用账号"), Exit.CONFLICT, "nobody"),
        (("users", "lock", "sysadmin", "--reason", "离岗停用账号"), Exit.CONFLICT, "最后一位"),
        (("users", "lock", "sysadmin", "--reason", "x"), Exit.CONFLICT, "理由"),
        (("users", "grant", "sysadmin", "clerk"), Exit.CONFLICT, "三员"),
        (("users", "grant", "sysadmin", "king"), Exit.USAGE, "king"),
        (("users", "add", "li", "--name", "李", "--enterprise", "E1"), Exit.USAGE, "--role"),
        (("users", "unlock"), Exit.USAGE, "--address"),
        (("users", "unlock", "li", "--address", "10.0.0.1"), Exit.USAGE, "--address"),
    ],
)
def test_what_cannot_be_done_says_why(
    bureau: Path, run: Run, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_an_address_is_freed(bureau: Path, run: Run) -> None:
    result = run("users", "unlock", "--address", "10.0.0.1", "--json")
    assert json.loads(result.stdout)["forgotten"] == 0


def test_a_whole_log_verifies_and_a_changed_one_does_not(bureau: Path, run: Run) -> None:
    good = run("audit", "verify")
    assert good.exit_code == Exit.OK
    assert "审计日志完整：6 条" in good.stdout
    tamper(bureau, "update audit_entry set actor = 'somebody' where sequence = 2")
    bad = run("audit", "verify", "--json")
    assert bad.exit_code == Exit.DATA_ERRORS
    content = json.loads(bad.stdout)
    assert (content["is_whole"], [one["kind"] for one in content["faults"]]) == (False, ["changed"])
    told = run("audit", "verify", "--lang", "en")
    assert "Entry 2 was changed" in told.stdout


def test_without_its_key_a_log_is_neither_whole_nor_broken_and_one_sentence_says_so(
    bureau: Path, run: Run
) -> None:
    key = bureau / "secrets" / "ledger.key"
    key.rename(bureau / "kept.key")
    told = run("audit", "verify")
    assert told.exit_code == Exit.ENVIRONMENT
    assert told.stdout == ""
    assert told.stderr.count("第 1 至 6 条") == 1
    assert "数据文件夹中没有这把密钥" in told.stderr
    assert "请从备份恢复 secrets/ledger.key 后重新核验" in told.stderr
    assert "Entries 1 to 6 are sealed with the key" in run("audit", "verify", "--lang", "en").stderr
    as_json = run("audit", "verify", "--json")
    assert as_json.exit_code == Exit.ENVIRONMENT
    content = json.loads(as_json.stdout)
    assert content["is_whole"] is None
    assert [(one["sequence"], one["kind"], one["is_tampering"]) for one in content["faults"]] == [
        (1, "key_unknown", False)
    ]
    tamper(bureau, "delete from audit_entry where sequence = 3")
    broken = run("audit", "verify")
    assert broken.exit_code == Exit.DATA_ERRORS
    assert "第 3 条不见了" in broken.stdout
    assert "数据文件夹中没有这把密钥" in broken.stdout
    assert "审计日志有 1 处与当初写入的不符" in broken.stderr


def test_a_log_cut_back_shows_against_an_exported_head(bureau: Path, run: Run, tmp_path: Path) -> None:
    head = tmp_path / "head.ndjson"
    assert run("audit", "export", str(head), "--head-only").exit_code == Exit.OK
    assert run("audit", "verify", "--head", str(head)).exit_code == Exit.OK
    run("users", "add", "li", "--name", "李")
    assert run("audit", "verify", "--head", str(head)).exit_code == Exit.OK
    tamper(bureau, "delete from audit_entry where sequence >= 7")
    result = run("audit", "verify", "--head", str(head))
    assert result.exit_code == Exit.DATA_ERRORS
    assert "第 7 条" in result.stdout


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"head": {"sequence": 1}}', "\xff\xfe"])
def test_a_file_without_a_head_is_told(bureau: Path, run: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "head.ndjson"
    file.write_text(content, encoding="latin-1")
    result = run("audit", "verify", "--head", str(file))
    assert result.exit_code == Exit.USAGE
    assert "签名首部" in result.stderr


def test_exports_go_to_a_file_or_to_standard_output_and_never_over_another_file(
    bureau: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "audit.csv"
    assert run("audit", "export", str(target), "--format", "csv", "--action", "role").exit_code == Exit.OK
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8-sig"))))
    assert [row["object_id"] for row in rows] == ["sysadmin", "secadmin", "auditadmin"]
    assert run("audit", "export", str(target)).exit_code == Exit.CONFLICT
    assert run("audit", "export", str(target), "--force").exit_code == Exit.OK
    assert json.loads(target.read_text(encoding="utf-8").splitlines()[-1])["head"]["sequence"] == 8
    lines = run("audit", "export", "-").stdout.splitlines()
    assert json.loads(lines[0])["action"] == "account.created"
    assert json.loads(lines[-1])["head"]["sequence"] == 9
    assert not list(tmp_path.glob(".audit.csv.*"))


def test_the_list_is_short_and_says_how_much_more_there_is(bureau: Path, run: Run) -> None:
    result = run("audit", "list", "--limit", "2", "--since", "2020-01-01", "--until", "2100-01-01")
    assert len(result.stdout.splitlines()) == 4
    assert "另有 4 条" in result.stderr
    assert run("audit", "list", "--since", "yesterday").exit_code == Exit.USAGE


def test_reading_does_not_make_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "none"))
    for arguments in (("users", "list"), ("audit", "verify"), ("audit", "list")):
        assert run(*arguments).exit_code == Exit.ENVIRONMENT
    assert not (tmp_path / "none").exists()
