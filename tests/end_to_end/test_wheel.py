"""`pip install .` from a wheel: what a bureau installs must carry its SQL, rules, layouts and definitions."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was unpacked, as pip would, with no checkout in reach."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)],
        cwd=HOUSE,
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("*.whl")
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


def test_a_wheel_carries_every_data_file_the_code_reads(installed: Path) -> None:
    def names(root: Path) -> set[str]:
        return {
            str(path.relative_to(root))
            for part in ("sql", "expectations", "pipelines", "assets", "sample_data")
            for path in (root / part).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    # dagster.yaml stands at the top of the checkout and inside assets/ of the wheel.
    assert names(installed) == names(HOUSE) | {"assets/dagster.yaml"}


def test_an_installed_wheel_runs_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "SERVTRADE_DATA": str(tmp_path / "data"),
        "HOME": str(tmp_path),
    }

    def servtrade(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-c", "from pipelines.cli.main import main; main()", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [sys.executable, "-P", "-c", "import pipelines; print(pipelines.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(installed) in where.stdout
    initialised = servtrade("init")
    assert initialised.returncode == 0, initialised.stderr
    sample = installed / "sample_data" / "samples"
    [clean] = sample.glob("*clean*.xlsx")
    checked = servtrade("check", "--json", str(clean))
    assert '"schema_version": 1' in checked.stdout, checked.stderr
