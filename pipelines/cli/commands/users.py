"""`servtrade users`: accounts from the machine itself; the first three, and help for whoever is locked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exits import Exit
from pipelines.cli.options import common, json_ahead, json_option
from pipelines.cli.stores import ledger_of, ledger_to_read, person
from pipelines.cli.terminal import Terminal
from pipelines.cli.words import moment

if TYPE_CHECKING:
    from pipelines.ledger.accounts import Account, NewAccount
    from pipelines.ledger.actors import Actor, Role

# As in ledger.actors.Role, which is not imported for a help text; a test compares.
ROLE_NAMES: dict[str, tuple[str, str]] = {
    "reporter": ("企业填报员", "reporter"),
    "clerk": ("统计员", "clerk"),
    "district_reviewer": ("区级审核员", "district reviewer"),
    "analyst": ("分析员", "analyst"),
    "official": ("领导", "official"),
    "system_admin": ("系统管理员", "system administrator"),
    "security_admin": ("安全管理员", "security administrator"),
    "audit_admin": ("审计管理员", "audit administrator"),
}
_STATES = {
    "active": ("正常", "active"),
    "locked": ("已锁定", "locked"),
    "reset": ("已重置，待解锁", "reset, to be unlocked"),
}
_ROLE = click.Choice(list(ROLE_NAMES))
_reason = click.option("--reason", required=True, help="理由，记入审计日志 / why; kept in the audit log")
_enterprises = click.option(
    "--enterprise",
    "enterprises",
    multiple=True,
    metavar="CODE",
    help="企业填报员的统一社会信用代码，可重复 / of a reporter; may be repeated",
)
_districts = click.option(
    "--district",
    "districts",
    multiple=True,
    metavar="CODE",
    help="区级审核员的区，可重复 / of a district reviewer; may be repeated",
)


@click.group()
@common
@json_ahead
def users() -> None:
    """账号：首次建立三员，以及在本机上办理账号事务。

    Accounts, from the machine itself. Day by day the administrators do this on the pages, each their own part; here is
    the first run, and help when an administrator is locked out. Everything is in the audit log as cli:USER.
    """


def _operator() -> Actor:
    from pipelines.ledger.actors import Actor

    return Actor.operator(person())


def _role(name: str) -> Role:
    from pipelines.ledger.actors import Role

    return Role(name)


@users.command("init")
@common
@json_option
@click.pass_obj
def init_users(terminal: Terminal, as_json: bool) -> None:
    """建立系统、安全、审计管理员，各给一个一次性密码，只显示这一次。

    Make the three administrators, each with a one-time password that is shown this once. There are no default
    accounts; with any account there already this does nothing.
    """
    with ledger_of(terminal.settings) as ledger:
        made = ledger.accounts.init_administrators(_operator())
    _show_new(terminal, made, as_json=as_json)


@users.command("list")
@common
@json_option
@click.pass_obj
def list_users(terminal: Terminal, as_json: bool) -> None:
    """列出账号。 / List the accounts."""
    with ledger_to_read(terminal.settings) as ledger:
        found = ledger.accounts.all(_operator())
    if as_json:
        terminal.json({"accounts": [_as_json(account) for account in found]})
        return
    if not found:
        terminal.note(terminal.word("users_none"))
        return
    terminal.table(
        [
            terminal.pick("登录名", "login"),
            terminal.pick("姓名", "name"),
            terminal.pick("角色", "roles"),
            terminal.pick("范围", "scope"),
            terminal.pick("状态", "state"),
            terminal.pick("二次验证", "second factor"),
            terminal.pick("上次登录", "last sign-in"),
        ],
        [
            [
                account.login,
                account.display_name,
                terminal.pick("、", ", ").join(
                    terminal.pick(*ROLE_NAMES[role.value]) for role in sorted(account.roles)
                ),
                " ".join(sorted(account.enterprise_codes | account.district_codes)),
                terminal.pick(*_STATES[account.state]),
                terminal.pick("有", "yes") if account.has_second_factor else terminal.pick("无", "no"),
                moment(account.signed_in_at),
            ]
            for account in found
        ],
    )


@users.command("add")
@click.argument("login")
@click.option("--name", required=True, help="姓名；每人一个账号 / the person's name; one account a person")
@click.option("--role", type=_ROLE, help="同时授予的角色 / a role to grant at once")
@_enterprises
@_districts
@click.option("--identity", help="统一身份认证的用户标识 / who this is at the identity provider (OIDC)")
@click.option("--english", is_flag=True, help="页面用英文 / pages in English")
@common
@json_option
@click.pass_obj
def add_user(
    terminal: Terminal,
    login: str,
    name: str,
    role: str | None,
    enterprises: tuple[str, ...],
    districts: tuple[str, ...],
    identity: str | None,
    english: bool,
    as_json: bool,
) -> None:
    """新建账号，给一个一次性密码，只显示这一次，一周内有效。

    Make an account. Its one-time password is shown this once, is good for a week and must be changed at the first
    sign-in. Without --role the account sees nothing until the security administrator grants one.
    """
    if role is None and (enterprises or districts):
        raise terminal.fail(Exit.USAGE, "users_scope_without_role")
    with ledger_of(terminal.settings) as ledger:
        made = ledger.accounts.create(
            _operator(), login, name, language="en" if english else "zh", oidc_identity=identity
        )
        account = made.account
        if role is not None:
            try:
                account = ledger.accounts.grant(
                    _operator(), login, _role(role), enterprise_codes=enterprises, district_codes=districts
                )
            except ValueError:
                # The account is there: its password must not be lost with the role that it could not be given.
                _show_new(terminal, [made], as_json=as_json)
                raise
    _show_new(terminal, [type(made)(account, made.one_time_password)], as_json=as_json)


@users.command("lock")
@click.argument("login")
@_reason
@common
@json_option
@click.pass_obj
def lock_user(terminal: Terminal, login: str, reason: str, as_json: bool) -> None:
    """锁定账号，立即结束其会话。 / Lock an account; its sessions end at once."""
    with ledger_of(terminal.settings) as ledger:
        account = ledger.accounts.lock(_operator(), login, reason=reason)
    _show_done(terminal, account, "users_locked", as_json=as_json)


@users.command("unlock")
@click.argument("login", required=False)
@click.option("--address", help="解除对某地址的登录限制 / forget failed sign-ins from this address")
@click.option("--reason", default="", help="理由，记入审计日志 / why; kept in the audit log")
@common
@json_option
@click.pass_obj
def unlock_user(
    terminal: Terminal, login: str | None, address: str | None, reason: str, as_json: bool
) -> None:
    """解锁账号或地址：被锁定的、密码重置后待放行的、输错次数过多的。

    Let in again: an account that was locked, whose password was reset, or that failed to sign in too often; or an
    address.
    """
    if (login is None) == (address is None):
        raise terminal.fail(Exit.USAGE, "users_unlock_what")
    with ledger_of(terminal.settings) as ledger:
        if login is None:
            count = ledger.accounts.unlock_address(_operator(), str(address))
            if as_json:
                terminal.json({"address": address, "forgotten": count})
            else:
                terminal.note(terminal.word("users_address_unlocked", address=address, count=count))
            return
        account = ledger.accounts.unlock(_operator(), login, reason=reason)
    _show_done(terminal, account, "users_unlocked", as_json=as_json)


@users.command("reset")
@click.argument("login")
@_reason
@click.option(
    "--second-factor", is_flag=True, help="重置二次验证，不动密码 / lift the second factor, not the password"
)
@common
@json_option
@click.pass_obj
def reset_user(terminal: Terminal, login: str, reason: str, second_factor: bool, as_json: bool) -> None:
    """重置密码（给一个一次性密码），或重置二次验证。

    Give a new one-time password, or lift the second factor of a lost telephone. After a new password an account with a
    role waits to be released: servtrade users unlock. That is also the way out when the only security administrator is
    locked out.
    """
    with ledger_of(terminal.settings) as ledger:
        if second_factor:
            account = ledger.accounts.reset_second_factor(_operator(), login, reason=reason)
            _show_done(terminal, account, "users_second_factor_reset", as_json=as_json)
            return
        made = ledger.accounts.reset_password(_operator(), login, reason=reason)
    _show_new(terminal, [made], as_json=as_json)
    if made.account.state == "reset":
        terminal.note(terminal.word("users_reset_waits", login=made.account.login))


@users.command("grant")
@click.argument("login")
@click.argument("role", type=_ROLE)
@_enterprises
@_districts
@click.option("--reason", default="", help="理由，记入审计日志 / why; kept in the audit log")
@common
@json_option
@click.pass_obj
def grant_role(
    terminal: Terminal,
    login: str,
    role: str,
    enterprises: tuple[str, ...],
    districts: tuple[str, ...],
    reason: str,
    as_json: bool,
) -> None:
    """授予角色；企业填报员要写企业代码，区级审核员要写区。

    Grant a role. A reporter needs --enterprise, a district reviewer --district: all of them each time. The three
    administrators hold no other role.
    """
    with ledger_of(terminal.settings) as ledger:
        account = ledger.accounts.grant(
            _operator(),
            login,
            _role(role),
            enterprise_codes=enterprises,
            district_codes=districts,
            reason=reason,
        )
    _show_done(terminal, account, "users_granted", as_json=as_json)


@users.command("revoke")
@click.argument("login")
@click.argument("role", type=_ROLE)
@_reason
@common
@json_option
@click.pass_obj
def revoke_role(terminal: Terminal, login: str, role: str, reason: str, as_json: bool) -> None:
    """撤销角色。 / Take a role away."""
    with ledger_of(terminal.settings) as ledger:
        account = ledger.accounts.revoke(_operator(), login, _role(role), reason=reason)
    _show_done(terminal, account, "users_revoked", as_json=as_json)


def _show_new(terminal: Terminal, made: list[NewAccount], *, as_json: bool) -> None:
    if as_json:
        terminal.json(
            {
                "accounts": [
                    {**_as_json(one.account), "one_time_password": one.one_time_password} for one in made
                ]
            }
        )
        return
    terminal.table(
        [
            terminal.pick("登录名", "login"),
            terminal.pick("姓名", "name"),
            terminal.pick("一次性密码", "one-time password"),
        ],
        [[one.account.login, one.account.display_name, one.one_time_password] for one in made],
    )
    terminal.note(terminal.word("users_password_once"))


def _show_done(terminal: Terminal, account: Account, key: str, *, as_json: bool) -> None:
    if as_json:
        terminal.json(_as_json(account))
        return
    roles = terminal.pick("、", ", ").join(
        terminal.pick(*ROLE_NAMES[role.value]) for role in sorted(account.roles)
    )
    terminal.note(terminal.word(key, login=account.login, roles=roles or terminal.pick("无", "none")))


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "display_name": account.display_name,
        "state": account.state,
        "roles": sorted(account.roles),
        "enterprise_codes": sorted(account.enterprise_codes),
        "district_codes": sorted(account.district_codes),
        "has_second_factor": account.has_second_factor,
        "must_change_password": account.is_password_one_time,
        "oidc_identity": account.oidc_identity,
        "created_at": account.created_at.isoformat(),
        "created_by": account.created_by,
        "signed_in_at": account.signed_in_at.isoformat() if account.signed_in_at else None,
    }
