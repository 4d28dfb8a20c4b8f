"""A small campaign of real runs: as an archive, and loaded read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ENGINES, engine_environment


@pytest.fixture(scope="session")
def campaign_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of what ``make_campaign.py`` runs, made once in a test session by the real work chains.

    ``AIIDA_ION_CAMPAIGN`` names one that is there already, which saves the half minute while one writes tests.
    """
    given = os.environ.get("AIIDA_ION_CAMPAIGN")
    if given and Path(given).is_file():
        return Path(given)
    engine_environment("lammps")
    path = tmp_path_factory.mktemp("campaign") / "campaign.aiida"
    program = Path(__file__).parent / "dashboards" / "make_campaign.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(program), str(ENGINES), str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@pytest.fixture
def campaign(campaign_archive: Path) -> Iterator[Path]:
    """Load the archive as the profile, read-only, and return its path."""
    from aiida.manage.configuration import profile_context
    from aiida.storage.sqlite_zip.backend import SqliteZipBackend

    with profile_context(SqliteZipBackend.create_profile(campaign_archive), allow_switch=True):
        yield campaign_archive
