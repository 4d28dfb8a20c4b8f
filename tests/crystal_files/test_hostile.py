"""Every odd or damaged file is read right or refused with a sentence: 200 of them, with the right value of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.crystals_on_file.makers import Hostile
from benchmarks.hostile.crystals import files, outcome

FILES = files()


@pytest.mark.parametrize("one", FILES, ids=[f"{number}-{one.name}" for number, one in enumerate(FILES)])
def test_a_file_is_read_right_or_refused(one: Hostile, tmp_path: Path) -> None:
    assert outcome(one, tmp_path) == "right"
