"""The upload desk: what it takes in, what it says of each file, and that nothing handed in is lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filed_by_hand import Line, a_workbook, credit_code

from pipelines.findings import Verdict
from pipelines.intake.limits import MIB, UploadLimits
from pipelines.ledger import Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.audit import AuditFilter
from pipelines.ledger.uploads import UnknownUpload, UploadFile, UploadProgress
from pipelines.periods import Month
from pipelines.reception.uploads import UploadDesk, UploadedFile, UploadRefused
from pipelines.settings import Settings

clerk = Actor("统计员", frozenset({Role.CLERK}))
reporter = Actor("填报员", frozenset({Role.REPORTER}), frozenset({credit_code(1)}))
auditor = Actor("审计员", frozenset({Role.AUDIT_ADMIN}))


@pytest.fixture
def desk(settings: Settings, ledger: Ledger) -> UploadDesk:
    """Takes in, and does nothing further until started."""
    return UploadDesk(settings, ledger)


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[UploadDesk, Ledger]]:
    """A desk at work, for tests whose files do not meet."""
    from pipelines.ledger import RegisterRow, open_ledger

    data = tmp_path_factory.mktemp("desk") / "data"
    settings = Settings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", reader_count=1)
    with open_ledger(settings.ledger_url) as ledger:
        ledger.import_register(
            [
                RegisterRow(credit_code(n), "示例一号服务有限公司", "420111", "6513", Month(2019, 1))
                for n in range(1, 41)
            ]
        )
        with UploadDesk(settings, ledger) as working:
            yield working, ledger


def a_return(number: int, amount: int = 100, month: str = "2020-01", **more: object) -> bytes:
    lines = [Line(export=amount, export_ytd=amount)]
    return a_workbook(credit_code(number), month, lines, **more)  # type: ignore[arg-type]


def sent(name: str, content: bytes) -> UploadedFile:
    return UploadedFile(name, io.BytesIO(content))


def a_zip(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def finished(desk: UploadDesk, upload_id: str, actor: Actor = clerk) -> UploadProgress:
    found = desk.wait_for(upload_id, actor, seconds=30)
    assert found.is_finished
    return found


def by_name(found: UploadProgress) -> dict[str, UploadFile]:
    return {one.file_name: one for one in found.files}


# -- what comes out ---------------------------------------------------------------------------------------


def test_each_file_gets_verdict_counts_submission_and_receipt(
    shared_desk: tuple[UploadDesk, Ledger],
) -> None:
    desk, ledger = shared_desk
    upload_id = desk.take_in([sent("一月.xlsx", a_return(1)), sent("坏.xlsx", b"PK\x03\x04 no")], clerk)
    found = finished(desk, upload_id)
    files = by_name(found)
    good, bad = files["一月.xlsx"], files["坏.xlsx"]
    assert (good.state, good.verdict, good.period) == ("done", Verdict.ACCEPTED, "2020-01")
    [recorded] = ledger.submissions(submission_ids=[good.submission_id or ""])
    assert good.receipt_number == f"2020-01-{recorded.sequence:06d}"
    assert (recorded.channel, recorded.received_by) == ("portal", "统计员")
    assert recorded.received_at == good.received_at
    assert (bad.verdict, bad.critical_count, bad.rules) == (Verdict.UNREADABLE, 1, ("G01",))
    assert bad.receipt_number is not None
    assert bad.receipt_number.startswith("0000-00-")
    assert (found.file_count, found.done_count, found.done_share) == (2, 2, 1.0)
    assert found.finished_at is not None


def test_what_needs_a_person_first_stands_first(shared_desk: tuple[UploadDesk, Ledger]) -> None:
    desk, _ = shared_desk
    content = a_return(2)
    finished(desk, desk.take_in([sent("先.xlsx", content)], clerk))
    upload_id = desk.take_in(
        [
            sent("通过.xlsx", a_return(3)),
            sent("错数.xlsx", a_workbook(credit_code(4), "2020-01", [Line(export="十万", export_ytd=1)])),
            sent("重复.xlsx", content),
            sent("未来.xlsx", a_return(5, month="2099-01")),
            sent("陌生.xlsx", a_return(99)),
        ],
        clerk,
    )
    found = finished(desk, upload_id)
    assert [one.file_name for one in found.files] == [
        "陌生.xlsx",
        "未来.xlsx",
        "重复.xlsx",
        "错数.xlsx",
        "通过.xlsx",
    ]
    assert found.duplicate_count == 1


def test_a_foreign_return_is_refused_told_and_audited(shared_desk: tuple[UploadDesk, Ledger]) -> None:
    desk, ledger = shared_desk
    upload_id = desk.take_in([sent("别家.xlsx", a_return(6))], reporter)
    [file] = finished(desk, upload_id, reporter).files
    assert (file.submission_id, file.receipt_number, file.rules) == (None, None, ("G10",))
    assert file.trouble is not None
    assert credit_code(6) in file.trouble.zh
    assert [one for one in ledger.submissions() if one.enterprise_code == credit_code(6)] == []
    page = ledger.audit.entries(AuditFilter(action="submission.refused"), reader=auditor)
    [entry] = [one for one in page.entries if one.object_id == f"{upload_id}/1"]
    assert (entry.actor, entry.new) == ("填报员", {"rules": ["G10"]})


def test_an_upload_is_seen_by_its_maker_and_the_bureau_only(shared_desk: tuple[UploadDesk, Ledger]) -> None:
    desk, _ = shared_desk
    upload_id = desk.take_in([sent("一.xlsx", a_return(1))], reporter)
    stranger = Actor("别人", frozenset({Role.REPORTER}), frozenset({credit_code(1)}))
    assert desk.progress(upload_id, reporter).created_by == "填报员"
    assert desk.progress(upload_id, clerk).created_by == "填报员"
    for who, what in ((stranger, upload_id), (auditor, upload_id), (reporter, "x" * 22)):
        with pytest.raises(UnknownUpload):
            desk.progress(what, who)
    assert [one.upload_id for one in desk.recent(stranger)] == []
    assert upload_id in [one.upload_id for one in desk.recent(clerk, everybody=True)]


@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "another enterprise's now"])
def test_the_rights_of_who_handed_in_are_those_of_the_moment_of_judging(
    desk: UploadDesk, ledger: Ledger, is_locked: bool
) -> None:
    operator = Actor.operator("root")
    accounts = ledger.accounts
    accounts.create(operator, "zhao", "赵强")
    account = accounts.grant(operator, "zhao", Role.REPORTER, enterprise_codes=[credit_code(1)])
    zhao = Actor("zhao", account.roles, account.enterprise_codes, account_id=account.account_id)
    upload_id = desk.take_in([sent("一月.xlsx", a_return(1)), sent("空.xlsx", b"no workbook")], zhao)
    if is_locked:
        accounts.lock(operator, "zhao", reason="离岗停用账号")
    else:
        accounts.grant(operator, "zhao", Role.REPORTER, enterprise_codes=[credit_code(2)])
    with desk:
        files = by_name(finished(desk, upload_id))
    refused = [files["一月.xlsx"], *([files["空.xlsx"]] if is_locked else [])]
    assert [one.submission_id for one in refused] == [None] * len(refused)
    assert all(one.trouble is not None for one in refused)
    assert [one for one in ledger.submissions() if one.enterprise_code] == []
    told = ledger.audit.entries(AuditFilter(action="submission.refused"), reader=operator).entries
    assert [one.actor for one in told] == ["zhao"] * len(refused)
    if is_locked:
        assert "锁定" in files["一月.xlsx"].trouble.zh  # type: ignore[union-attr]


# -- archives ---------------------------------------------------------------------------------------------


def test_a_zip_is_taken_as_the_files_in_it_and_debris_is_named_and_left(
    shared_desk: tuple[UploadDesk, Ledger],
) -> None:
    desk, _ = shared_desk
    content = a_zip(
        ("三月/甲.xlsx", a_return(7)),
        ("三月/更里面/乙.xlsx", a_return(8)),
        ("__MACOSX/三月/._甲.xlsx", b"junk"),
        ("三月/.DS_Store", b"junk"),
        ("三月/~$甲.xlsx", b"lock"),
        ("三月/请查收.docx", b"letter"),
        ("里层.zip", a_zip(("丙.xlsx", a_return(9)))),
    )
    found = finished(desk, desk.take_in([sent("微信.zip", content), sent("~$开着.xlsx", b"")], clerk))
    files = by_name(found)
    assert set(files) == {"甲.xlsx", "乙.xlsx", "里层.zip"}
    assert files["乙.xlsx"].archive_name == "微信.zip/三月/更里面"
    assert files["甲.xlsx"].verdict is Verdict.ACCEPTED
    assert (files["里层.zip"].state, files["里层.zip"].verdict) == ("failed", None)
    assert files["里层.zip"].trouble is not None
    assert "压缩包里又有压缩包" in files["里层.zip"].trouble.zh
    assert found.left_out_count == 5
    assert "微信.zip/三月/~$甲.xlsx" in found.left_out
    assert found.files[0].file_name == "里层.zip"


def test_a_zip_of_refused_members_only_is_finished_at_once(desk: UploadDesk) -> None:
    upload_id = desk.take_in([sent("壳.zip", a_zip(("a.zip", b"x"), ("b.rar", b"y")))], clerk)
    found = desk.progress(upload_id, clerk)
    assert found.is_finished
    assert found.finished_at is not None
    assert [one.state for one in found.files] == ["failed", "failed"]


# -- what is not taken at all -----------------------------------------------------------------------------


def refused(desk: UploadDesk, *files: UploadedFile, actor: Actor = clerk) -> str:
    with pytest.raises(UploadRefused) as caught:
        desk.take_in(files, actor)
    assert caught.value.wording.zh != caught.value.wording.en
    return caught.value.wording.zh


def kept_bytes(settings: Settings) -> int:
    return sum(path.stat().st_size for path in settings.originals_dir.rglob("*") if path.is_file())


def test_too_many_too_much_nothing_and_nobody_are_refused_and_nothing_is_kept(
    settings: Settings, ledger: Ledger
) -> None:
    desk = UploadDesk(settings, ledger, limits=UploadLimits(file_count=3, sent_bytes=40_000))
    small = a_return(1)
    assert "最多上传 3 个文件" in refused(desk, *(sent(f"{n}.xlsx", small[:900]) for n in range(4)))
    inside = a_zip(*((f"{n}.xlsx", b"x") for n in range(4)))
    assert "本次有 4 个" in refused(desk, sent("四个.zip", inside))
    assert "MB" in refused(desk, sent("大.xlsx", bytes(50_000)))
    assert "没有收到文件" in refused(desk)
    assert "Thumbs.db" in refused(desk, sent("Thumbs.db", b"x"))
    official = Actor("领导", frozenset({Role.OFFICIAL}))
    assert "没有报送权限" in refused(desk, sent("一.xlsx", small), actor=official)
    assert kept_bytes(settings) == 0


def test_a_days_quota_is_the_persons_own(settings: Settings, ledger: Ledger) -> None:
    desk = UploadDesk(replace(settings, upload_daily_mib=1), ledger)
    noise = bytes(range(256)) * 2600  # 0.63 MiB
    desk.take_in([sent("一.xlsx", noise)], clerk)
    assert "每日上限 1 MB" in refused(desk, sent("二.xlsx", noise[1:]))
    desk.take_in([sent("二.xlsx", noise[1:])], reporter)
    assert "每日上限" in refused(desk, sent("包.zip", a_zip(("三.xlsx", noise))))


def test_a_full_disk_takes_no_files_and_says_that_they_are_not_at_fault(
    settings: Settings, ledger: Ledger
) -> None:
    desk = UploadDesk(replace(settings, free_disk_mib=10_000_000), ledger)
    assert "您的文件没有问题" in refused(desk, sent("一.xlsx", a_return(1)))
    assert kept_bytes(settings) == 0


def test_one_file_too_large_is_said_and_the_others_are_taken(settings: Settings, ledger: Ledger) -> None:
    desk = UploadDesk(settings, ledger, limits=UploadLimits(file_bytes=2 * MIB))
    upload_id = desk.take_in([sent("大.xlsx", bytes(3 * MIB)), sent("一.xlsx", a_return(1))], clerk)
    large, small = desk.progress(upload_id, clerk).files
    assert large.trouble is not None
    assert "3 MB" in large.trouble.zh
    assert (large.state, small.state) == ("failed", "waiting")
    assert kept_bytes(settings) == small.size_bytes


def test_names_are_shown_clean_and_kept_as_given(desk: UploadDesk) -> None:
    name = "a\u202excod.xlsx"
    [file] = desk.progress(desk.take_in([sent(name, a_return(1))], clerk), clerk).files
    assert (file.file_name, file.original_name) == ("axcod.xlsx", name)


# -- going on ---------------------------------------------------------------------------------------------


def test_what_was_being_read_when_the_process_ended_waits_again(
    settings: Settings, ledger: Ledger, desk: UploadDesk
) -> None:
    upload_id = desk.take_in([sent("一.xlsx", a_return(1)), sent("二.xlsx", a_return(2))], clerk)
    taken = ledger.uploads.take(most=60, is_large=False, large_from=11, alone_from=2)
    assert [one.original_name for one in taken] == ["一.xlsx", "二.xlsx"]
    assert {one.state for one in desk.progress(upload_id, clerk).files} == {"reading"}
    with UploadDesk(settings, ledger) as another:
        assert all(one.verdict is Verdict.ACCEPTED for one in finished(another, upload_id).files)


def test_a_file_that_keeps_failing_is_given_up_and_stops_no_other(
    settings: Settings, ledger: Ledger, desk: UploadDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.reception import uploads

    monkeypatch.setattr(uploads, "_IDLE_SECONDS", 0.02)
    monkeypatch.setattr(uploads, "_LONGEST_PAUSE_SECONDS", 0.02)
    poison = a_return(1)
    through = uploads.Reception.submit

    def submit(self: object, files: list[object], **more: object) -> object:
        if any(file.name == "毒.xlsx" for file in files):  # type: ignore[attr-defined]
            raise ArithmeticError("a fault of ours")
        return through(self, files, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads.Reception, "submit", submit)
    upload_id = desk.take_in([sent("毒.xlsx", poison), sent("好.xlsx", a_return(2))], clerk)
    with desk:
        files = by_name(finished(desk, upload_id))
    assert files["好.xlsx"].verdict is Verdict.ACCEPTED
    assert files["毒.xlsx"].state == "failed"
    assert files["毒.xlsx"].trouble is not None
    assert upload_id in files["毒.xlsx"].trouble.zh


def test_a_trouble_of_the_machine_is_told_and_costs_no_file(
    ledger: Ledger, desk: UploadDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.reception import uploads

    monkeypatch.setattr(uploads, "_IDLE_SECONDS", 0.02)
    monkeypatch.setattr(uploads, "_LONGEST_PAUSE_SECONDS", 0.02)
    through = uploads.Reception.submit
    failures = iter([OSError(28, "No space left on device")] * 12)
    troubles = []

    def submit(self: object, *files: object, **more: object) -> object:
        troubles.append(desk.trouble)
        for failure in failures:
            raise failure
        return through(self, *files, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads.Reception, "submit", submit)
    upload_id = desk.take_in([sent("一.xlsx", a_return(1))], clerk)
    with desk:
        [file] = finished(desk, upload_id).files
    assert file.verdict is Verdict.ACCEPTED
    assert troubles[-1] is not None
    assert "No space left" in troubles[-1].zh
    assert desk.trouble is None


def test_only_one_process_works_a_queue(settings: Settings, ledger: Ledger) -> None:
    with UploadDesk(settings, ledger) as first, UploadDesk(settings, ledger) as second:
        upload_id = second.take_in([sent("一.xlsx", a_return(1))], clerk)
        assert finished(second, upload_id).files[0].verdict is Verdict.ACCEPTED
        first.stop()
        upload_id = second.take_in([sent("二.xlsx", a_return(2))], clerk)
        assert finished(second, upload_id).files[0].verdict is Verdict.ACCEPTED


# -- zero returns -----------------------------------------------------------------------------------------


def test_a_zero_return_by_one_click_is_a_return_like_any_other(
    shared_desk: tuple[UploadDesk, Ledger],
) -> None:
    desk, ledger = shared_desk
    month = Month(2020, 2)
    [file] = finished(desk, desk.file_zero_return(credit_code(20), month, clerk)).files
    [recorded] = ledger.submissions(submission_ids=[file.submission_id or ""])
    assert (recorded.is_zero_return, recorded.verdict, recorded.line_count) == (True, Verdict.ACCEPTED, 0)
    assert recorded.period == "2020-02"
    [again] = finished(desk, desk.file_zero_return(credit_code(20), month, clerk)).files
    assert (again.is_duplicate, again.submission_id) == (True, file.submission_id)


def test_a_zero_return_does_not_push_aside_figures_unless_it_says_that_it_corrects(
    shared_desk: tuple[UploadDesk, Ledger],
) -> None:
    desk, ledger = shared_desk
    month = Month(2020, 1)
    [filed] = finished(desk, desk.take_in([sent("数.xlsx", a_return(21))], clerk)).files
    assert filed.receipt_number
    with pytest.raises(UploadRefused, match=filed.receipt_number):
        desk.file_zero_return(credit_code(21), month, clerk)
    [zero] = finished(desk, desk.file_zero_return(credit_code(21), month, clerk, is_revision=True)).files
    assert zero.verdict is Verdict.ACCEPTED
    [back] = finished(
        desk, desk.take_in([sent("还是.xlsx", a_return(21, 120, is_revision=True))], clerk)
    ).files
    assert back.version == 3
    [zero] = finished(desk, desk.file_zero_return(credit_code(21), month, clerk, is_revision=True)).files
    assert (zero.version, zero.is_duplicate) == (4, False)
    [standing] = [
        one
        for one in ledger.submissions(month)
        if one.enterprise_code == credit_code(21) and one.is_current_accepted
    ]
    assert standing.is_zero_return


@pytest.mark.parametrize(
    ("code", "month", "actor", "why"),
    [
        (credit_code(2), Month(2020, 2), reporter, "不能为企业"),
        (credit_code(999), Month(2020, 2), clerk, "不在直报名录"),
        (credit_code(22), Month(2018, 2), clerk, "不在直报名录"),
        (credit_code(22), Month(2099, 2), clerk, "还没有结束"),
    ],
)
def test_a_zero_return_that_is_not_due_is_refused(
    shared_desk: tuple[UploadDesk, Ledger], code: str, month: Month, actor: Actor, why: str
) -> None:
    with pytest.raises(UploadRefused, match=why):
        shared_desk[0].file_zero_return(code, month, actor)


def test_a_folder_of_the_inbox_kind_is_left_alone(tmp_path: Path, desk: UploadDesk) -> None:
    """The name that a browser sends for a folder has folders in it; only the last part is a name."""
    [file] = desk.progress(
        desk.take_in([sent("三月/甲.xlsx", a_return(1)), sent("三月/.DS_Store", b"x")], clerk), clerk
    ).files
    assert file.file_name == "甲.xlsx"
