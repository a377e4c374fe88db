"""`servtrade serve`: the portal, until it is told to end."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import common, json_option
from pipelines.cli.stores import expect_data_folder, person, prepare_folders
from pipelines.cli.terminal import Terminal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址 / address to listen on")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8420,
    show_default=True,
    help="端口（0：任意空闲端口） / port (0: any free one)",
)
@click.option("--certificate", type=_FILE, help="TLS 证书（PEM） / TLS certificate chain (PEM)")
@click.option("--key", type=_FILE, help="证书的私钥（PEM） / private key of the certificate (PEM)")
@click.option(
    "--proxy",
    default="",
    help="反向代理的固定 IP 地址 / fixed IP address of the reverse proxy before the portal",
)
@common
@json_option
@click.pass_obj
def serve(
    terminal: Terminal,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    proxy: str,
    as_json: bool,
) -> None:
    """启动门户网站。 / Start the portal.

    The address stands on the first line of stdout once the portal can be reached; Ctrl-C or SIGTERM ends it
    after the requests under way. Without a certificate or a proxy it can be reached from this machine only.
    """
    from pipelines.ledger.actors import Actor
    from pipelines.portal.app import create_app
    from pipelines.portal.server import Address, expect_safe
    from pipelines.portal.server import serve as serve_portal
    from pipelines.stores import leave_pandas_out

    leave_pandas_out()
    settings = terminal.settings
    address = Address(host, port, certificate, key, proxy)
    expect_safe(address)
    expect_data_folder(settings)
    prepare_folders(settings)

    app = create_app(settings)
    if not app.state.ledger.accounts.all(Actor.operator(person())):
        terminal.note(terminal.word("portal_no_accounts"))

    def ready(url: str) -> None:
        if as_json:
            terminal.json({"url": url})
        else:
            terminal.result(url)
        terminal.note(terminal.word("portal_ready", url=url))

    serve_portal(app, address, ready=ready)
    terminal.note(terminal.word("portal_ended"))
