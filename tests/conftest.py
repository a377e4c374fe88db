"""What every test may ask for. Fixtures of one package live in that package's own conftest."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pipelines.ledger.profiles import PROFILES, PasswordCost


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published data and seed documents beside the checkout; its tests skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("../shared is not here: published data and seeds are read where they stand")
    return folder


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> PasswordCost:
    """Profiles under which a password is hashed with little effort: for tests about who comes in, not how long it
    takes. Ledgers opened by settings after this have them."""
    cost = PasswordCost(memory_kib=64, passes=1)
    for name, profile in PROFILES.items():
        monkeypatch.setitem(PROFILES, name, replace(profile, password_cost=cost))
    return cost


_numbers = count(1)


@dataclass(frozen=True)
class PostgresCluster:
    """A private PostgreSQL server of this test session."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://servtrade@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        name = f"ledger_{next(_numbers)}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {name} encoding 'UTF8' template template0"))
        engine.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """Starts a cluster with Debian's binaries, or skips saying that there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin): its tests did not run")
    binaries = found[-1].parent
    # PostgreSQL refuses to run as root; then the user that its package made runs it.
    as_user: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="servtrade-postgres-"))
    if os.getuid() == 0:
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL needs an unprivileged user and there is no user postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [*as_user, *map(str, command)], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    data = folder / "data"
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(binaries / "initdb", "-D", data, "-U", "servtrade", "-A", "trust", "-E", "UTF8", "--locale=C")
        run(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield PostgresCluster(port)
        finally:
            run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.new_database()
