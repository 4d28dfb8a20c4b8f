"""Dashboards that really run: the command in a process of its own, and a browser."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.campaign_fixtures import shared_folder
from tests.dashboards.browser import MISSING, Browser, browse

ROOT = Path(__file__).parents[2]


@contextmanager
def running_dashboard(folder: Path, *arguments: str) -> Iterator[str]:
    """Run ``aiida-ion dashboard`` with its own AiiDA folder; yield the address that it prints."""
    environment = os.environ | {"AIIDA_PATH": str(folder), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).with_name("aiida-ion")), "dashboard", "--port", "0", *arguments]
    told = folder / f"errors-{secrets.token_hex(4)}.txt"  # other dashboards may run from the same folder
    errors = told.open("w+")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        errors.seek(0)
        assert "http://" in line, line + errors.read()
        yield line.split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=20)
        errors.close()
    text = told.read_text()
    assert "Traceback" not in text, text


@pytest.fixture(scope="session")
def archive_dashboard(campaign_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a dashboard of the campaign's archive, in an environment without any profile."""
    folder = tmp_path_factory.mktemp("empty")
    with running_dashboard(folder, "--archive", str(campaign_archive)) as address:
        yield address


@pytest.fixture(scope="session")
def profile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an AiiDA folder whose default profile holds 300 synthetic results, surrogates and trained potentials.

    It is made once for all test processes.
    """
    folder = shared_folder(tmp_path_factory, "synthetic")
    with FileLock(folder / "lock"):
        if not (folder / "filled").exists():
            fill_profile(folder)
            (folder / "filled").touch()
    return folder


def fill_profile(folder: Path) -> None:
    """Make the profile and fill it, each step in a process of its own."""
    environment = os.environ | {"AIIDA_PATH": str(folder), "OMP_NUM_THREADS": "1"}
    verdi = str(Path(sys.executable).with_name("verdi"))
    fill = [sys.executable, str(ROOT / "benchmarks" / "many_results.py"), "--profile", "synthetic", "--results", "300"]
    train = [sys.executable, "-m", "benchmarks.synthetic.surrogate", "--profile", "synthetic"]
    potentials = [sys.executable, "-m", "benchmarks.synthetic.training", "--profile", "synthetic"]
    screenings = [sys.executable, "-m", "benchmarks.synthetic.screening", "--profile", "synthetic"]
    for command in ([verdi, "presto", "--use-zeromq", "-p", "synthetic"], fill, train, potentials, screenings):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def profile_dashboard(profile_folder: Path) -> Iterator[str]:
    """Return the address of a dashboard of a profile."""
    with running_dashboard(profile_folder, "--profile", "synthetic") as address:
        yield address


@pytest.fixture(params=["profile", pytest.param("archive", marks=pytest.mark.slow)])
def dashboard(request: pytest.FixtureRequest) -> str:
    """Return the address of a dashboard of a profile, then of an archive."""
    address: str = request.getfixturevalue(f"{request.param}_dashboard")
    return address


@pytest.fixture
def browser(dashboard: str, tmp_path: Path) -> Iterator[Browser]:
    """Return a browser at the dashboard; its console must stay clean and nothing may be asked of elsewhere."""
    if MISSING:
        pytest.skip(f"{MISSING}: run `make browser`")
    with browse(dashboard, tmp_path) as opened:
        yield opened
        assert opened.complaints() == []
        assert opened.foreign_requests() == set()


@pytest.fixture
def hostile_dashboard(profile_folder: Path, tmp_path: Path) -> Iterator[str]:
    """Return the address of a dashboard whose nodes carry HTML wherever they carry text."""
    folder = tmp_path / "hostile"
    shutil.copytree(profile_folder, folder)
    config = folder / ".aiida" / "config.json"
    config.write_text(config.read_text().replace(str(profile_folder), str(folder)))
    (database,) = folder.glob(".aiida/repository/*/database.sqlite")
    evil = "<img src=x onerror='window.attacked=1'><script>window.attacked=1</script><a href='javascript:1'><b>"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE db_dbnode SET label = ? WHERE node_type LIKE 'data.core.structure%'", (evil,))
        # Not the same nodes each time: pairs are made of what shares a formula and differs in its level of theory.
        for name, every in (("formula", 7), ("level_of_theory", 5), ("reason", 7), ("summary", 7), ("exit_message", 7)):
            change = f"UPDATE db_dbnode SET attributes = json_set(attributes, '$.{name}', ?)"
            where = f"WHERE json_extract(attributes, '$.{name}') IS NOT NULL AND id % {every} < {every - 2}"
            connection.execute(f"{change} {where}", (evil,))
        connection.execute("UPDATE db_dbgroup SET label = ?", (evil,))
    connection.close()
    with running_dashboard(folder, "--profile", "synthetic") as address:
        yield address
