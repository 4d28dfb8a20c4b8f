"""A small campaign of real runs: as an archive, and loaded read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import ENGINES, engine_environment


@pytest.fixture(scope="session")
def campaign_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of what ``make_campaign.py`` runs, made once for all test processes by the real work chains.

    ``AIIDA_ION_CAMPAIGN`` names one that is there already, which saves the half minute while one writes tests.
    """
    given = os.environ.get("AIIDA_ION_CAMPAIGN")
    if given and Path(given).is_file():
        return Path(given)
    engine_environment("lammps")
    return made_once(shared_folder(tmp_path_factory, "campaign") / "campaign.aiida")


@pytest.fixture(scope="session", autouse=True)
def begun_campaign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the first of several test processes begin it beside the tests, so that none waits for all of it."""
    needed = any("campaign_archive" in getattr(item, "fixturenames", ()) for item in request.session.items)
    is_first = os.environ.get("PYTEST_XDIST_WORKER") == "gw0"
    if not (needed and is_first and (ENGINES / "lammps").is_dir()) or "AIIDA_ION_CAMPAIGN" in os.environ:
        yield
        return
    path = shared_folder(tmp_path_factory, "campaign") / "campaign.aiida"
    with ThreadPoolExecutor(1) as pool:
        # A failure is seen by the test that needs it: it finds no archive, and makes it again.
        pool.submit(made_once, path)
        yield


def made_once(path: Path) -> Path:
    """Return the archive; the first process that asks makes it, the others wait."""
    with FileLock(path.with_name("lock")):
        if not path.is_file():
            make_campaign(path)
    return path


def shared_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder that all test processes share, for what is made once."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    return folder


def make_campaign(path: Path) -> None:
    """Run it in a process of its own; the archive is there once it is whole."""
    part = path.with_name("campaign-part.aiida")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.dashboards.make_campaign", str(ENGINES), str(part)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    part.rename(path)


@pytest.fixture
def campaign(campaign_archive: Path) -> Iterator[Path]:
    """Load the archive as the profile, read-only, and return its path."""
    from aiida.manage.configuration import profile_context
    from aiida.storage.sqlite_zip.backend import SqliteZipBackend

    with profile_context(SqliteZipBackend.create_profile(campaign_archive), allow_switch=True):
        yield campaign_archive
