"""Damaged outputs of DFT programs: a clear sentence or a remark, never a wrong number in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.hostile.dft_outputs import inputs
from benchmarks.mutated_dft import try_mutations


def test_every_listed_input(tmp_path: Path) -> None:
    listed = inputs(tmp_path)
    assert len(listed) >= 100
    assert len({entry.name for entry in listed}) == len(listed)
    for entry in listed:
        assert callable(entry.call)
        with pytest.raises(ValueError) as error:
            entry.call()
        assert re.search(entry.pattern, str(error.value)), f"{entry.name}: {error.value}"


def test_random_changes(tmp_path: Path) -> None:
    counted = try_mutations(tmp_path, seeds=range(12))
    assert counted.silent == []
    assert counted.tracebacks == []
    assert counted.n_errors > 10
    assert counted.n_remarks > 10
