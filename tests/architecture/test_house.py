"""The house keeps its own rules: imports go one way, and nothing of a machine or a registry is committed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]

# Packages come from wherever a bureau keeps its mirror: no address of one may be written down here.
REGISTRY_HOST = re.compile(
    r"https?://[a-z0-9.:-]+/(?:simple|packages|npm|debian)\b|\"resolved\":", re.IGNORECASE
)
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:work|root|home|Users)/[a-z]")


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [HOUSE / name for name in listing.split("\0") if name and (HOUSE / name).is_file()]


def text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def test_no_two_test_modules_are_called_alike() -> None:
    """pytest imports modules outside packages by their bare name, and would refuse to collect the second."""
    names = [
        path.name
        for path in tracked_files()
        if path.is_relative_to(HOUSE / "tests")
        and path.match("test_*.py")
        and not path.with_name("__init__.py").exists()
    ]
    assert sorted(names) == sorted(set(names))


def test_imports_go_one_way_only() -> None:
    outcome = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, MACHINE_PATH], ids=["registry host", "machine path"])
def test_no_committed_file_names_a_registry_host_or_a_machine_path(pattern: re.Pattern[str]) -> None:
    offenders = [
        f"{path.relative_to(HOUSE)}: {match[0]}"
        for path in tracked_files()
        if path != Path(__file__).resolve() and (text := text_of(path)) is not None
        for match in pattern.finditer(text)
    ]
    assert offenders == []


def test_every_package_of_the_environment_is_pinned_by_version_and_hash() -> None:
    for lock in (HOUSE / "requirements").glob("*.txt"):
        if lock.name == "constraints.txt":
            continue
        entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
        for entry in entries:
            first_line = entry.splitlines()[0]
            assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+", first_line), f"{lock.name}: {first_line}"
            assert "--hash=sha256:" in entry, f"{lock.name}: {first_line} has no hash"


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        str(path.relative_to(HOUSE))
        for path in tracked_files()
        if path.suffix == ".py"
        and path.parts[len(HOUSE.parts)] in ("pipelines", "assets", "sample_data")
        and re.search(r"os\.environ\b|os\.getenv\b", path.read_text(encoding="utf-8"))
    ]
    assert set(readers) <= {"pipelines/settings.py"} | ENVIRONMENT_WRITERS, readers


# These set a variable for a library or a child process, or read a convention that is not a setting of ours.
ENVIRONMENT_WRITERS = {
    "pipelines/validation/suite.py",  # GX_ANALYTICS_ENABLED=false before Great Expectations is imported
    "pipelines/cli/commands/run.py",  # the same, for the process that runs Dagster
    "pipelines/cli/stores.py",  # DAGSTER_HOME and the data folder for Dagster's definitions
    "pipelines/cli/terminal.py",  # NO_COLOR; the language of a message that says that a setting is wrong
}


def test_the_readme_names_only_files_that_are_there_and_leaves_no_blank_to_fill_in() -> None:
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"@[A-Z_]+@", readme) == []
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", readme) + re.findall(
        r"`((?:sql|pipelines|docs)/[\w/.*]+)`", readme
    )
    missing = [name for name in named if not list(HOUSE.glob(name.rstrip("/")))]
    assert named
    assert missing == []
