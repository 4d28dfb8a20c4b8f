"""What a stopped training leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aiida_ion.surrogate.journal import Journal

SAME = {"seed": 1, "settings": {"n_epochs": 3}}


def test_results_and_the_state_under_way_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "restart.safetensors"
    journal = Journal(path, SAME)
    assert journal.result("model/0/0") is None
    journal.keep_partial("model/0/0", {"epoch": torch.tensor(3)})
    journal.keep("model/0/0", {"predicted": torch.ones(4)})
    journal.keep_partial("model/0/1", {"epoch": torch.tensor(5), "a/b": torch.zeros(2)})
    journal.write()
    kept = Journal(path, dict(reversed(SAME.items())))
    result, partial = kept.result("model/0/0"), kept.partial("model/0/1")
    assert result is not None
    assert partial is not None
    assert torch.equal(result["predicted"], torch.ones(4))
    assert sorted(partial) == ["a/b", "epoch"]
    assert kept.partial("model/0/0") is None
    assert not list(tmp_path.glob("*.partial"))


def test_an_empty_journal_can_be_written(tmp_path: Path) -> None:
    Journal(tmp_path / "empty", SAME).write()
    assert Journal(tmp_path / "empty", SAME).result("model/0/0") is None


def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "restart", SAME).write()
    with pytest.raises(ValueError, match="belongs to another training"):
        Journal(tmp_path / "restart", {**SAME, "seed": 2})
    (tmp_path / "restart").write_bytes(b"\x80\x04nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        Journal(tmp_path / "restart", SAME)
