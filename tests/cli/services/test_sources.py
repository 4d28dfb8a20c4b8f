"""Tables of several archives at once."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pandas as pd

from tests.archives.test_version_0_1 import ARCHIVE as EARLIER
from tests.cli.conftest import Shell


def test_rows_of_several_archives_stand_in_one_table(shell: Shell, campaign_archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.aiida"
    shutil.copyfile(campaign_archive, again)
    path = tmp_path / "table.csv"
    archives = ("--archive", campaign_archive, "--archive", EARLIER, "--archive", again)
    output = shell("table", "conductivity", *archives, "--format", "csv", "--output", path)
    table = pd.read_csv(path)
    assert table.columns[0] == "archive"
    first, second = (pd.read_csv(StringIO(one(shell, archive))) for archive in (campaign_archive, EARLIER))
    assert list(table["uuid"]) == [*first["uuid"], *second["uuid"]]
    assert list(table["archive"]) == [campaign_archive.name] * len(first) + [EARLIER.name] * len(second)
    assert f"Note: {len(first)} rows are in an earlier archive, too, and left out here" in output
    text = shell("table", *archives[:4])
    assert text.count(campaign_archive.name) > len(first) and text.count(EARLIER.name) > len(second)


def one(shell: Shell, archive: Path) -> str:
    output = shell("table", "conductivity", "--format", "csv", "--archive", archive)
    return output[output.index("formula") :]


def test_what_no_archive_has_is_said(shell: Shell, campaign_archive: Path) -> None:
    both = ("--archive", campaign_archive, "--archive", EARLIER)
    assert "there is no group 'nobody'" in shell("table", *both, "--group", "nobody", code=1)
    assert "exclude each other" in shell("table", *both, "--profile", "mine", code=2)
