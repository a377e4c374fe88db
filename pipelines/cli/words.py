"""Every sentence the command line says, in both languages; findings bring their own from `expectations/`.

Help texts of commands stand in the commands, in both languages at once, because --lang is not known yet.
"""

from __future__ import annotations

from datetime import datetime

from pipelines.findings import Verdict, Wording

VERDICTS: dict[Verdict, Wording] = {
    Verdict.ACCEPTED: Wording("通过", "accepted"),
    Verdict.QUERIES: Wording("待核实", "queries"),
    Verdict.REJECTED: Wording("有错误，未通过", "rejected"),
    Verdict.UNREADABLE: Wording("拒收（无法读取）", "unreadable"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    # common
    "fault": (
        "程序内部错误。请把日志交给维护人员：{path}",
        "This is a fault of the program. Please hand the log to the maintainers: {path}",
    ),
    "fault_no_log": (
        "程序内部错误，且日志无处可写：{error}",
        "This is a fault of the program, and no log could be written: {error}",
    ),
    "usage_help": ("详见：{command} --help", "See: {command} --help"),
    "interrupted": ("已中断。未完成的内容不会保留。", "Interrupted. Nothing half-done was kept."),
    "exists": (
        "{path} 已存在。如要覆盖，请加 --force。",
        "{path} exists already. Add --force to overwrite it.",
    ),
    "written": ("已写入 {path}", "Written: {path}"),
    "no_files": ("没有可收取的文件：{path}", "There is no file to take in: {path}"),
    "no_data_folder": (
        "这里没有数据文件夹：{path}。请检查路径（--data 或 SERVTRADE_DATA）；如要新建，请运行 servtrade init。",
        "There is no data folder here: {path}. Check the path (--data or SERVTRADE_DATA); to make a new one, run "
        "servtrade init.",
    ),
    "no_folder_made": (
        "无法建立文件夹 {path}（{reason}）。请换一个可写的位置（--data 或 SERVTRADE_DATA），或更改其权限。",
        "The folder {path} cannot be made ({reason}). Choose a place that can be written (--data or "
        "SERVTRADE_DATA), or change its permissions.",
    ),
    "no_register": (
        "未找到账本，也就没有企业名录（{path}），因此没有核对该企业是否在名录中，也没有与往月比较；其余规则照常审核。"
        "如需核对，请用 --data 指定数据文件夹。〔H1b〕",
        "There is no ledger here and so no register ({path}): whether the enterprise is on it was not checked, nor "
        "were earlier months compared; all other rules were. To check that too, give the data folder with --data. "
        "[H1b]",
    ),
    # serve
    "portal_ready": (
        "门户已启动：{url} 。按 Ctrl-C 停止。",
        "The portal is running at {url} . Press Ctrl-C to stop it.",
    ),
    "portal_no_accounts": (
        "还没有任何账号，因此没有人能登录。请先运行：servtrade users init",
        "There is no account yet, so nobody can sign in. First run: servtrade users init",
    ),
    "portal_ended": ("门户已停止。", "The portal has ended."),
    # rules
    "unknown_rule": (
        "没有编号为 {rule} 的规则。编号在每条提示末尾的括号里，如〔H2〕；全部编号：servtrade rules",
        "There is no rule {rule}. Its id stands in the brackets at the end of a message, as in [H2]; all of them: "
        "servtrade rules",
    ),
    "rules_without_ledger": (
        "这里没有账本，不显示触发次数。",
        "There is no ledger here; how often rules fired is not shown.",
    ),
    "explanation_holds": (
        "说明一次，{months} 个月内相同情况（{facts} 不变）不再询问",
        "explained once, not asked again for {months} months while {facts} stays the same",
    ),
    "rule_fired": (
        "最近 12 个月：{all} 份文件中有 {files} 份触发（{share}%）",
        "in the last 12 months: {files} of {all} files ({share} %)",
    ),
    # init
    "initialised": ("数据文件夹已就绪：{path}", "The data folder is ready: {path}"),
    # register
    "register_imported": (
        "名录已导入：{rows} 行，{enterprises} 家企业，其中新增或变更 {changed} 家。",
        "Register imported: rows {rows}, enterprises {enterprises}, of them new or changed {changed}.",
    ),
    "register_empty": (
        "名录为空。请先导入：servtrade register import 文件",
        "The register is empty. Import one: servtrade register import FILE",
    ),
    # check and submit
    "checking": ("审核文件", "Checking files"),
    "submitting": ("收取文件", "Taking in files"),
    "summary_files": (
        "共 {total} 个文件：通过 {accepted}，待核实 {queries}，有错误 {rejected}，拒收 {unreadable}；其中重复 {duplicates}。",
        "Files {total}: accepted {accepted}, with queries {queries}, rejected {rejected}, unreadable {unreadable}; "
        "known already {duplicates}.",
    ),
    "duplicate": ("（此前已收到，内容相同）", "(received before, same content)"),
    "same_as": ("（与这批文件中的 {name} 内容相同）", "(same content as {name} in this batch)"),
    "skipped_link": (
        "未收取 {path}：是链接，不跟随。请直接指定它所指的文件。",
        "Left out: {path} is a link and is not followed. Name the file it points to.",
    ),
    "skipped_special": (
        "未收取 {path}：是管道或设备，不是文件。请先把内容存为文件。",
        "Left out: {path} is a pipe or a device, not a file. Save the content as a file first.",
    ),
    "skipped_archive": (
        "未收取 {path}：是压缩包。请先解压，再收取其中的工作簿。",
        "Left out: {path} is an archive. Unpack it, then hand in the workbooks inside.",
    ),
    "skipped_other": (
        "未收取 {path}：扩展名不是 {suffixes}。如确是报表，请改好扩展名，或在命令中直接写出该文件。",
        "Left out: {path} does not end in {suffixes}. If it is a report, rename it, or name the file itself in the "
        "command.",
    ),
    "not_plain_link": (
        "“{name}”是链接，不打开。请直接指定它所指的文件。〔G09〕",
        "“{name}” is a link and was not opened. Name the file it points to. [G09]",
    ),
    "not_plain_special": (
        "“{name}”是管道或设备，不是普通文件，未读取。请先把内容存为文件，或用 - 从标准输入读取（check）。〔G09〕",
        "“{name}” is a pipe or a device, not a regular file, and was not read. Save the content as a file first, or "
        "use - for standard input (check). [G09]",
    ),
    "annotated": (
        "{name}：{verdict}。已写入加注的副本 {path}",
        "{name}: {verdict}. Annotated copy written: {path}",
    ),
    "annotated_itself": (
        "副本不能写在原文件上：{path}。请用 --out 指定另一个文件名。",
        "The copy cannot take the place of the file itself: {path}. Give another name with --out.",
    ),
    "changed_meanwhile": (
        "{path} 在审核期间被改动，未写入副本。请重试。",
        "{path} was changed while it was being checked; no copy was written. Try again.",
    ),
    "fixes_count": ("自动规范 {count} 处", "values tidied: {count}"),
    # template
    "template_who": (
        "请指明为谁生成：--enterprise 代码（可重复），或 --all。",
        "Say for whom: --enterprise CODE (may be repeated), or --all.",
    ),
    "template_one_file": (
        "{path} 只能放一家企业的空表。多家企业请给出 .zip 文件或文件夹。",
        "{path} takes the forms of one enterprise. For several give a .zip file or a folder.",
    ),
    "template_progress": ("生成空表", "making blank forms"),
    "template_joint": (
        "其中 {count} 家已按1—2月合并报送并通过，给出的是1—2月合并报表的更正表：单独报送1月或2月会重复计算，不予接收。",
        "For {count} of them a joint return of January and February is accepted, so they got the joint form, marked as a "
        "correction: a return for one of the two months alone would count business twice and is not taken.",
    ),
    "template_written": ("已生成 {count} 家企业的空表：{path}", "Blank forms of {count} enterprises: {path}"),
    "confirmed": (
        "{submission} 已核实通过（{name}，{month}）。重新计算：servtrade run --month {month}",
        "{submission} is confirmed ({name}, {month}). Compute again: servtrade run --month {month}",
    ),
    "returned": (
        "{submission} 已退回（{name}，{month}），等待更正后重新报送。",
        "{submission} is sent back ({name}, {month}) and waits to be corrected and filed again.",
    ),
    "return_withdrawn": (
        "{submission} 的退回已撤销（{name}，{month}）。",
        "The sending back of {submission} is taken back ({name}, {month}).",
    ),
    "explained": (
        "{submission} 的说明已记录（{name}，{month}），待审核人员复核。",
        "The explanations of {submission} are recorded ({name}, {month}) and wait for a reviewer.",
    ),
    "explanation_accepted": (
        "{submission} 的说明已采纳（{name}，{month}）。",
        "The explanations of {submission} are taken ({name}, {month}).",
    ),
    "explanation_refused": (
        "{submission} 的说明未采纳（{name}，{month}），相关疑问重新待核实。",
        "The explanations of {submission} are refused ({name}, {month}); their queries are open again.",
    ),
    "counts_later": (
        "{month} 已结账：在该月重开修订以前，不改变统计数。",
        "{month} is closed: this changes no figure until the month is reopened.",
    ),
    "still_queried": (
        "{submission} 仍有疑问待核实。列出：servtrade explain {submission}",
        "{submission} still has open queries. List them: servtrade explain {submission}",
    ),
    "waits_for_reviewer": (
        "{submission} 此前的说明未被采纳或报表曾被退回，新的说明待审核人员采纳后方可通过。",
        "{submission}: an earlier explanation was not taken, or the return was sent back; a reviewer has to take the "
        "new one before it is accepted.",
    ),
    "no_findings": ("{submission} 没有审核意见。", "There are no findings on {submission}."),
    "answer_given": ("{by} 说明：{reason}（待复核）", "{by} explained: {reason} (to be reviewed)"),
    "answer_accepted": ("{by} 说明：{reason}（已采纳）", "{by} explained: {reason} (taken)"),
    "answer_refused": (
        "{by} 说明：{reason}（未采纳：{review}）",
        "{by} explained: {reason} (refused: {review})",
    ),
    "answer_replaced": ("{by} 说明：{reason}（已改写）", "{by} explained: {reason} (replaced)"),
    # month
    "month_proposed": (
        "已提出{month}的{act}申请，请另一人确认：servtrade month confirm {month}。该月现为“{state}”。",
        "Proposed for {month}: {act}. Another person confirms it: servtrade month confirm {month}. It is {state} now.",
    ),
    "month_reopened_with": (
        "一并重开其后已结账的{months}：其累计和同比以 {month} 为依据，修订后须按月份顺序逐月重新结账。",
        "The closed months after it are reopened with it: {months}. Their totals and growth rest on {month}; after the "
        "revision they are closed again in their order.",
    ),
    "month_confirmed": (
        "{month} 的{act}已确认（{by} 提出），该月现为“{state}”。",
        "Confirmed for {month}: {act} (proposed by {by}). It is {state} now.",
    ),
    "month_declined": (
        "{month} 的{act}申请（{by} 提出）已退回或撤回，该月仍为“{state}”。",
        "Not done for {month}: {act} (proposed by {by}). It is {state} still.",
    ),
    "act_proposed": ("待确认", "proposed"),
    "act_confirmed": ("已确认", "confirmed"),
    "act_declined": ("已退回", "declined"),
    "act_withdrawn": ("已撤回", "withdrawn"),
    # remind
    "unknown_enterprise": (
        "名录中没有 {code}。名录：servtrade register list",
        "The register has no {code}. See servtrade register list.",
    ),
    "reminded": ("已记录 {month} 的催报 {count} 条。", "Reminders recorded for {month}: {count}."),
    "board_head": (
        "{month}：应报 {expected} 家，已通过 {accepted} 家；报送截止 {deadline}，还剩 {days} 天。",
        "{month}: {expected} expected, {accepted} accepted; due {deadline}, days left: {days}.",
    ),
    "state_not_filed": ("未报", "not filed"),
    "state_returned": ("退回", "returned"),
    "state_queried": ("待核实", "queried"),
    "state_accepted": ("已通过", "accepted"),
    "state_moved_on": ("{state}（结账后已有报送）", "{state} (filed after the closing)"),
    # register events
    "event_recorded": (
        "已记录 {code}：{event}，自 {month} 起。编号 {number}。",
        "Recorded for {code}: {event}, from {month} on. Number {number}.",
    ),
    "event_voided": ("事件 {number} 已作废（{code}）。", "Event {number} is void ({code})."),
    "no_events": ("{code} 没有事件。", "There are no events of {code}."),
    "short_reason": (
        "--reason：请写明核实的理由（不少于 {count} 个字）。",
        "--reason: say why it is right, in at least {count} characters.",
    ),
    "unknown_submission": (
        "没有编号为 {submission} 的报送。编号见 servtrade status --month 月份 --json。",
        "There is no submission {submission}. See servtrade status --month MONTH --json for the ids.",
    ),
    "ambiguous_submission": (
        "{submission} 对应多份报送，请写全编号（20 位）。",
        "{submission} fits several submissions; write all 20 characters.",
    ),
    # status
    "status_none": ("尚未收到任何报送。", "Nothing has been filed yet."),
    "status_month": ("{month} 报送情况", "Filing for {month}"),
    "outstanding": ("未报 {count} 家：", "{count} not filed:"),
    "and_more": ("……另有 {count} 家，加 --all 查看", "... and {count} more; add --all to see them"),
    # run
    "running": ("计算 {months}", "Computing {months}"),
    "run_done": (
        "已计算 {count} 个月（{months}），用时 {seconds:.1f} 秒；表格在 {path}",
        "Months computed: {count} ({months}) in {seconds:.1f} s; the tables are in {path}",
    ),
    "run_later": (
        "{month} 的数字也用于其后月份的累计和同比（{later}）。如需一并更新：servtrade run --from {month}",
        "Later months use the figures of {month} for cumulatives and growth ({later}). To update them as well: "
        "servtrade run --from {month}",
    ),
    "run_held": (
        "{month} 未生成表格：{rule} {label}（{count} 处，如 {keys}）。{help}",
        "{month} was not drafted: {rule} {label} ({count} rows, such as {keys}). {help}",
    ),
    "run_outside": (
        "{months} 不在可计算的范围内（{first} 至 {last}）。",
        "{months} cannot be computed; months are from {first} to {last}.",
    ),
    "run_no_months": (
        "账本中还没有任何月份的报送，没有可计算的内容。",
        "The ledger holds returns of no month yet, so there is nothing to compute.",
    ),
    "run_failed": (
        "统计任务失败：{reason}。详情见 Dagster 运行记录 {run_id}（make dev），日志：{path}",
        "The run failed: {reason}. Details are in Dagster's run {run_id} (make dev) and in {path}",
    ),
    "waiting": ("{holder}；等待中，最多 {seconds:.0f} 秒", "{holder}; waiting, at most {seconds:.0f} s"),
    # table and targets
    "no_draft": (
        "{month} 还没有表格。请先计算：servtrade run --month {month}",
        "There are no tables for {month} yet. Compute them first: servtrade run --month {month}",
    ),
    "held_no_draft": (
        "{month} 因此挂起，没有统计表。处理后重新计算：servtrade run --month {month}",
        "{month} is held for that and has no tables. When it is dealt with, compute again: servtrade run --month "
        "{month}",
    ),
    "no_drafts": (
        "还没有任何月份的表格。请先计算：servtrade run --all",
        "There are no tables of any month yet. Compute them first: servtrade run --all",
    ),
    "no_table": ("没有名为 {name} 的表。可用：{names}", "There is no table {name}. There are: {names}"),
    "held_month": (
        "注意：{month} 最近一次计算未生成新表格，此处为之前的一版。原因：{reason}",
        "Note: the latest computation of {month} was held back; this is the draft before it. Reason: {reason}",
    ),
    # rebuild
    "rebuilding": ("由原始文件和账本重建数据仓库", "Rebuilding the warehouse from originals and ledger"),
    "reread": (
        "已重新读取 {files} 个原始文件，其中 {changed} 个行数据文件与之前不同。",
        "{files} originals read again; {changed} lines files came out otherwise than before.",
    ),
    "rereading": ("重新读取原始文件", "Reading the originals again"),
    # inbox
    "inbox_empty": ("收件夹中没有新文件：{path}", "There is no new file in the inbox: {path}"),
    "inbox_done": (
        "已收取 {count} 个文件，连同审核结果放在 {path}",
        "Files taken in: {count}; they and the answers to them are in {path}",
    ),
    # users
    "users_none": (
        "还没有账号。请先建立三员：servtrade users init",
        "There are no accounts yet. Make the three administrators first: servtrade users init",
    ),
    "users_password_once": (
        "一次性密码只显示这一次，请当面交给本人；首次登录须改为自己的密码，一周内有效。",
        "One-time passwords are shown this once. Hand them over in person; they must be changed at the first sign-in "
        "and are good for a week.",
    ),
    "users_scope_without_role": (
        "写了 --enterprise 或 --district，也要写 --role。",
        "With --enterprise or --district give --role as well.",
    ),
    "users_unlock_what": (
        "请写登录名或 --address，二者取一。",
        "Give either a login or --address.",
    ),
    "users_locked": ("{login} 已锁定。", "{login} is locked."),
    "users_unlocked": ("{login} 已解锁。", "{login} is unlocked."),
    "users_address_unlocked": (
        "已解除对 {address} 的登录限制（{count} 项）。",
        "{address} may sign in again ({count} counts forgotten).",
    ),
    "users_second_factor_reset": (
        "{login} 的二次验证已重置，下次登录后重新绑定。",
        "The second factor of {login} is lifted; a new one is set up after the next sign-in.",
    ),
    "users_reset_waits": (
        "{login} 待安全管理员核实本人后放行：servtrade users unlock {login}",
        "{login} waits for the security administrator, who makes sure of the person: servtrade users unlock {login}",
    ),
    "users_granted": ("{login} 的角色：{roles}", "Roles of {login}: {roles}"),
    "users_revoked": ("{login} 的角色：{roles}", "Roles of {login}: {roles}"),
    # audit
    "audit_whole": (
        "审计日志完整：{count} 条，首部 {head}",
        "The audit log is whole: entries {count}, head {head}",
    ),
    "audit_no_key": (
        "注意：日志没有用密钥封存；能改数据库的人可以整本重写。请定期导出首部，保存到别处。",
        "Note: the log is not sealed with a key, so who may write the database could rewrite all of it. Export its head "
        "regularly and keep it elsewhere.",
    ),
    "audit_broken": (
        "审计日志有 {count} 处与当初写入的不符。请保留现状，立即报告。",
        "The audit log differs from what was written (places: {count}). Leave everything as it is and report it.",
    ),
    "audit_acknowledged": (
        "已记入审计日志：不再提示缺少第 {numbers} 条",
        "Written into the audit log; entries {numbers} are told as missing no longer",
    ),
    "audit_nothing_lost": (
        "日志与密钥旁的首部相符，无须说明",
        "Nothing that was kept is missing: nothing to answer for",
    ),
    "audit_more": ("另有 {count} 条，用 --limit 查看更多", "{count} more; see them with --limit"),
    # doctor
    "doctor_ok": ("本机环境齐备。", "Nothing is missing on this machine."),
    "doctor_missing": ("有 {count} 项需要处理，见上。", "Needs attention: {count}, see above."),
    # demo
    "demo_not_empty": (
        "{path} 已有真实数据（{count} 份报送不是演示数据，名录 {registered} 行），演示不会写入。请用 --data 指定另一个文件夹。",
        "{path} holds real data ({count} submissions are not the demo's, {registered} rows of a register); the demo "
        "will not touch it. Choose another folder with --data.",
    ),
    "demo_other_city": (
        "{path} 已有另一座样例城市（{enterprises} 家企业，{months} 个月，种子 {seed}）。请用 --data 指定另一个文件夹，或删除它。",
        "{path} holds another sample city ({enterprises} enterprises, {months} months, seed {seed}). Choose another "
        "folder with --data, or delete it.",
    ),
}


def sentence(key: str, language: str, **values: object) -> str:
    """A sentence in one language, filled in. Raises KeyError for a key that is not in the catalogue."""
    zh, en = SENTENCES[key]
    return (zh if language == "zh" else en).format(**values)


def said(wording: Wording, language: str) -> str:
    """A wording in one language."""
    return wording.zh if language == "zh" else wording.en


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """A moment in Shanghai, wherever the machine stands: 2026-04-08 14:03; nothing for none."""
    from pipelines.ledger import SHANGHAI  # here, because help texts need no ledger

    if value is None:
        return ""
    return f"{value.astimezone(SHANGHAI):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}"
