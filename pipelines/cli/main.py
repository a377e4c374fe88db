"""The command `servtrade` and the list of its commands. What each does is in `commands/`."""

from __future__ import annotations

import click

from pipelines.cli.options import ServtradeGroup, common, json_ahead
from pipelines.cli.terminal import Terminal

_C = "pipelines.cli.commands"

# name: (where it is, one line). The order is that of the work.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (f"{_C}.demo:demo", "用合成城市演示全部流程 / the whole job on a synthetic city"),
    "doctor": (f"{_C}.doctor:doctor", "检查本机环境 / what is missing on this machine"),
    "init": (f"{_C}.init:init", "建立数据文件夹 / make the data folder ready"),
    "register": (f"{_C}.register:register", "企业名录：导入、列出 / the register: import, list"),
    "template": (f"{_C}.template:template", "生成空白报表 / blank forms of a month"),
    "check": (f"{_C}.files:check", "审核文件，不写入 / check files, write nothing"),
    "annotate": (
        f"{_C}.annotate:annotate",
        "在文件副本中标出问题 / give a file back with its findings marked in it",
    ),
    "submit": (f"{_C}.files:submit", "收取文件并记账 / take in files and record them"),
    "inbox": (f"{_C}.inbox:inbox", "收件夹：收取其中的文件 / the inbox: take in what lies there"),
    "receipt": (f"{_C}.receipt:receipt", "回执：打印一份报送的收讫证明 / the receipt of a filing, as a PDF"),
    "confirm": (f"{_C}.confirm:confirm", "核实有疑问的报送 / accept a return with open queries"),
    "explain": (f"{_C}.confirm:explain", "说明疑问，或审核说明 / explain queries, or review explanations"),
    "return": (f"{_C}.confirm:send_back", "退回报送 / send a return back"),
    "remind": (f"{_C}.remind:remind", "催报名单与记录 / whom to remind, and the record of it"),
    "month": (f"{_C}.month:month", "月份的结账、发布与重开 / close, publish and reopen months"),
    "status": (f"{_C}.status:status", "各月报送情况 / who has filed what"),
    "run": (f"{_C}.run:run", "计算各月统计表 / compute the tables of months"),
    "table": (f"{_C}.tables:table", "查看一张统计表 / show one table of a month"),
    "targets": (f"{_C}.tables:targets", "目标完成进度 / progress of the targets"),
    "why": (f"{_C}.why:why", "一个数从哪里来 / where a printed figure comes from"),
    "serve": (f"{_C}.serve:serve", "启动门户网站 / start the portal"),
    "rules": (
        f"{_C}.rules:rules",
        "审核规则：含义、示例、触发次数 / the rules, each with an example and how often it fires",
    ),
    "users": (
        f"{_C}.users:users",
        "账号：首次建立三员、解锁、重置 / accounts: the first three, unlock, reset",
    ),
    "audit": (f"{_C}.audit:audit", "审计日志：核验、列出、导出 / the audit log: verify, list, export"),
    "rebuild": (f"{_C}.rebuild:rebuild", "重建数据仓库 / rebuild the warehouse from the stores"),
}


@click.group(
    cls=ServtradeGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "退出码 / exit codes: 0 ok, 1 data errors or open queries, 2 usage, 3 refused or unreadable file, "
        "4 environment, 5 conflict or locked, 70 fault of the program, 130 interrupted. "
        "In a batch the gravest file decides: 3 before 1 before 0."
    ),
)
@click.version_option(package_name="service-trade-monitor", prog_name="servtrade")
@common
@json_ahead
@click.pass_context
def main(ctx: click.Context) -> None:
    """服务贸易统计监测 / Service-Trade Monitor.

    结果输出到标准输出，提示和进度输出到标准错误。 / Results go to stdout, messages and progress to stderr.
    """
    ctx.ensure_object(Terminal)


if __name__ == "__main__":
    main()
