"""``aiida-ion potential label``: what it refuses, what it submits, and that a dataset takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

import aiida_ion.cli.potential.label as module
from tests.calculations.training.nodes import nodes_of
from tests.cli.conftest import Invoke, only_line
from tests.training.md import run_md


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what the command submits in this process: there is no daemon."""
    monkeypatch.setattr(module, "require_daemon", lambda _: None)
    monkeypatch.setattr("aiida.engine.submit", lambda builder: run_get_node(builder)[1])


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_copies_of_a_crystal_are_labelled_and_a_dataset_takes_them(
    invoke: Invoke, lj_engine: str, crystal_file: Path
) -> None:
    words = ("potential", "label", crystal_file, "--engine", lj_engine, "--largest-A", 0.1, "--group", "labels")
    text = invoke(*words, "--displaced", 3, "--strained", 1).output
    (chain,) = orm.Group.collection.get(label="labels").nodes
    assert f"Submitted 4 labels by toy: {chain.pk}" in text
    labels = chain.outputs.labels.frames
    assert labels.get_array("forces").shape == (4, 4, 3)
    frames = chain.inputs.trajectories.frames
    assert frames.base.attributes.get("settings")["largest_A"] == 0.1
    second = invoke(*words, "--displaced", 2, "--strained", 0, "--seed", 5).output
    other = int(second.split("by toy: ")[1].split()[0])
    third = invoke(*words, "--displaced", 1, "--strained", 0, "--seed", 6).output
    last = int(third.split("by toy: ")[1].split()[0])
    # Lennard-Jones of argon presses so dense a crystal apart.
    split = ("--validation", other, "--test", last, "--max-force-eV-A", 1e9, "--allow", "energy_zero")
    table = invoke("potential", "dataset", chain.pk, other, last, *split).output
    dataset: Any = orm.load_node(int(table.split("Dataset ")[1].split()[0]))
    counts = [dataset.base.attributes.get(f"n_{name}") for name in ("train", "validation", "test")]
    assert counts == [4, 2, 1]
    nowhere = only_line(invoke("potential", "dataset", chain.pk, "--validation", other, code=1))
    assert f"{other} is for validation, and is not among the sources" in nowhere
    twice = only_line(invoke("potential", "dataset", chain.pk, other, "--validation", other, "--test", other, code=1))
    assert "named twice" in twice
    rule = invoke("potential", "dataset", chain.pk, other, "--validation", other, "--split", "by_run", code=2).stderr
    assert "leave out --split" in rule


@pytest.mark.usefixtures("here")
def test_frames_of_a_run_are_picked_and_labelled(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    from aiida_ion.engines.engine import load_engine
    from aiida_ion.engines.testing import run_test

    _, job = run_test(load_engine(lj_engine), n_steps=10)
    words = ("potential", "label", job.pk, "--engine", lj_engine)
    result = invoke(*words, "--last", 2, "--wait")
    assert "Submitted 2 labels by toy" in result.output and "2 frames labelled" in result.output
    assert "--spread, --last" in invoke(*words, code=2).stderr
    assert "--displaced is for a crystal, and this is a run" in invoke(*words, "--displaced", 3, code=2).stderr
    crystal = ("potential", "label", crystal_file, "--engine", lj_engine)
    assert "--spread is for a run, and this is a crystal" in invoke(*crystal, "--spread", 3, code=2).stderr


def test_what_cannot_be_labelled_is_refused_before_anything_is_stored(
    invoke: Invoke, lj_engine: str, crystal_file: Path
) -> None:
    words = ("potential", "label", crystal_file, "--engine")
    assert "there is no engine 'none'" in only_line(invoke(*words, "none", code=1))
    assert "are both 0" in only_line(invoke(*words, lj_engine, "--displaced", 0, "--strained", 0, code=1))
    assert "--kpoints is not an option of toy, which is mlip" in only_line(
        invoke(*words, lj_engine, "--kpoints", "2,2,2", code=1)
    )
    trajectory, _ = nodes_of(run_md(n_frames=3))
    alone = ("potential", "label", trajectory.pk, "--engine", lj_engine, "--spread", 1)
    assert "is of no run" in only_line(invoke(*alone, code=1))
    assert orm.QueryBuilder().append(orm.WorkChainNode).count() == 0
