"""Where labels come from: runs of this package, their continuations, and potentials that labelled stored frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from aiida_ion.calculations.mlip.forces import ForcesCalculation
from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.labels import scf_limit
from aiida_ion.calculations.training.sources import run_numbers, sources_of
from aiida_ion.campaigns.training.make import inputs_of
from aiida_ion.campaigns.training.stored import gather_sources
from aiida_ion.training.extxyz import read_extxyz, write_extxyz
from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from aiida_ion.workchains.md.quantumespresso import QuantumEspressoMdWorkChain
from tests.calculations.training.nodes import nodes_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
SETTINGS = {
    "temperature_K": 600.0,
    "timestep_fs": 4.0,
    "n_steps": 400,
    "sample_every": 2,
    "seed": 3,
    "keep": ["forces"],
}


@pytest.fixture
def copper() -> orm.StructureData:
    atoms = bulk("Cu", "fcc", a=3.65, cubic=True)
    atoms.rattle(0.03, seed=1)
    return orm.StructureData(ase=atoms)


def run(python_code: Any, structure: orm.StructureData, **changes: Any) -> Any:
    engine = {"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})}
    restart = {"restart_from": changes.pop("restart_from")} if "restart_from" in changes else {}
    settings = orm.Dict(SETTINGS | changes)
    chain = run_get_node(MlipMdWorkChain, structure=structure, parameters=settings, engine=engine, **restart)[1]
    assert chain.is_finished_ok, chain.exit_message
    return chain


def test_a_run_of_this_package_and_its_continuation(python_code: Any, copper: orm.StructureData) -> None:
    first = run(python_code, copper, n_steps=200)
    second = run(python_code, copper, restart_from=first.outputs.state)
    gathered = gather_sources([first, second, first])
    assert len(gathered.sources) == 2
    assert run_numbers([source.trajectory for source in gathered.sources]) == [0, 0]
    dataset = training_dataset(orm.Dict({}), **inputs_of(gathered.sources))
    attributes = dataset.base.attributes.all
    assert attributes["level_of_theory"] == "EMT"
    versions = first.called[0].outputs.versions.get_dict()
    hashes = {source["level_of_theory_sha256"] for source in attributes["sources"]}
    assert hashes == {versions["level_of_theory_sha256"]}
    assert [source["run"] for source in attributes["sources"]] == [0, 0]
    assert attributes["checks"][0]["method"] == "work"
    frames = dataset_frames(dataset)
    atoms = copper.get_ase()
    atoms.calc = EMT()
    for frame in frames[::4]:
        atoms.positions = frame.positions
        assert frame.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        assert frame.forces == pytest.approx(atoms.get_forces(), abs=1e-3)
        assert frame.stress is None
    assert any("no stress" in remark for remark in attributes["remarks"])
    # What trainers read is what the dataset holds.
    for before, after in zip(frames, read_extxyz(write_extxyz(frames)), strict=True):
        assert after.forces == pytest.approx(before.forces, abs=1e-8)
        assert (after.split, after.source, after.index) == (before.split, before.source, before.index)


@pytest.mark.slow
def test_another_potential_labels_stored_frames(python_code: Any) -> None:
    md = run_md(n_gold=0, n_frames=400)
    trajectory, thermo = nodes_of(md)
    kwargs = {"sigma": 2.3, "epsilon": 0.2, "rc": 3.6}
    potential = orm.Dict({"name": "lj", "kwargs": kwargs})
    given = {"code": python_code("ion.forces"), "potential": potential, "trajectories": {"run": trajectory}}
    job = run_get_node(ForcesCalculation, **given, parameters=orm.Dict({"max_frames": 100}))[1]
    assert job.is_finished_ok, job.exit_message
    (source,) = gather_sources([job.outputs.forces]).sources
    dataset = training_dataset(orm.Dict({}), **inputs_of([source]))
    assert dataset.base.attributes.get("level_of_theory") == "Lennard-Jones"
    labelled_steps = set(job.outputs.forces.get_array("steps").tolist())
    assert set(dataset.get_array("step").tolist()) <= labelled_steps
    for frame in dataset_frames(dataset)[::5]:
        atoms = bulk("Cu", "fcc", a=3.7, cubic=True).repeat((2, 1, 1))
        atoms.positions, atoms.calc = frame.positions, LennardJones(**kwargs, smooth=True)
        assert frame.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-3)
        assert frame.forces == pytest.approx(atoms.get_forces(), abs=2e-3)
    # The labels of a run and those of another potential are not of one level of theory.
    both = {**inputs_of([source]), "trajectory_001": trajectory, "thermo_001": thermo}
    with pytest.raises(ValueError, match="is of Lennard-Jones, trajectory .* of EMT"):
        training_dataset(orm.Dict({}), **both)


def test_what_is_missing_is_said() -> None:
    trajectory, thermo = nodes_of(run_md(n_frames=120))
    bare = orm.TrajectoryData()
    for name in ("steps", "positions", "cells", "times"):
        bare.set_array(name, trajectory.get_array(name))
    bare.base.attributes.set_many({"symbols": trajectory.base.attributes.get("symbols"), "level_of_theory": "EMT"})
    unnamed, _ = nodes_of(run_md(n_frames=120), level=None)
    for inputs, words in (
        ({"trajectory_000": bare.store(), "thermo_000": thermo}, "holds no forces"),
        ({"trajectory_000": trajectory}, "comes without energies"),
        ({"trajectory_000": unnamed, "thermo_000": thermo}, "does not say what made its forces"),
        ({"thermo_000": thermo}, "have no trajectory with that number"),
        ({"trajectory_000": trajectory, "other": thermo}, "other is not an input"),
        ({}, "at least one trajectory"),
    ):
        with pytest.raises(ValueError, match=words):
            training_dataset(orm.Dict({}), **inputs)


def test_settings_are_checked() -> None:
    trajectory, thermo = nodes_of(run_md(n_frames=120))
    for settings, words in (
        ({"split": "random"}, "split"),
        ({"stride": 3}, "did you mean stride_fs"),
        ({"split": "given"}, "splits name"),
        ({"allow": ["everything"]}, "allow"),
    ):
        with pytest.raises(ValueError, match=words):
            training_dataset(orm.Dict(settings), trajectory_000=trajectory, thermo_000=thermo)


def test_frames_at_the_limit_of_electronic_iterations_are_left_out() -> None:
    namelists = orm.Dict({"ELECTRONS": {"electron_maxstep": 40}})
    assert scf_limit({"namelists": namelists}) == 40
    assert scf_limit({"incar": orm.Dict({"NELM": 60})}) == 60
    assert scf_limit({"namelists": orm.Dict({"SYSTEM": {}})}) is None
    assert scf_limit({}) is None


def test_bad_frames_are_counted_and_many_are_refused() -> None:
    md = run_md()
    trajectory, thermo = nodes_of(md)
    energies = md.energies_eV.copy()
    energies[50] = np.nan
    forces = md.forces.astype("f4")
    forces[10, 2] = [40.0, 0.0, 0.0]
    forces[10, 3] -= forces[10].sum(axis=0)
    forces[20] += 0.5
    forces[30, 0, 0] = np.nan
    positions = md.positions.astype("f4")
    positions[60] = positions[61]
    changed = trajectory.clone()
    changed.set_array("forces", forces)
    changed.set_array("positions", positions)
    other = thermo.clone()
    other.set_array("potential_energy", energies)
    dataset = training_dataset(orm.Dict({}), trajectory_000=changed.store(), thermo_000=other.store())
    refused = dataset.base.attributes.get("refused")
    for reason in (
        "no energy",
        "a force beyond the limit",
        "forces that do not add up to zero",
        "forces or positions that are not finite",
        "the geometry of another frame",
    ):
        assert refused[reason] == 1, reason
    drifting = trajectory.clone()
    drifting.set_array("forces", md.forces.astype("f4") + 0.05)
    with pytest.raises(ValueError, match="400 of 400 frames have forces that do not add up to zero"):
        training_dataset(orm.Dict({}), trajectory_000=drifting.store(), thermo_000=thermo)


def test_another_zero_of_energy_is_refused() -> None:
    trajectory, thermo = nodes_of(run_md())
    second, other = nodes_of(run_md(seed=5))
    shifted = other.clone()
    shifted.set_array("potential_energy", other.get_array("potential_energy") - 322.7 * 8)
    nodes = {
        "trajectory_000": trajectory,
        "thermo_000": thermo,
        "trajectory_001": second,
        "thermo_001": shifted.store(),
    }
    with pytest.raises(ValueError, match=r"have the same composition, and energies of .* --allow energy_zero"):
        training_dataset(orm.Dict({}), **nodes)
    training_dataset(orm.Dict({"allow": ["energy_zero"]}), **nodes)


def test_the_drift_of_a_run_without_thermostat_is_said() -> None:
    trajectory, thermo = nodes_of(run_md())
    drifting = thermo.clone()
    times_ps = np.arange(400) * 4e-3
    drifting.set_array("conserved_energy", -3.0 + 8 * 2.5e-3 * times_ps)
    drifting.base.attributes.set_many({"ensemble": "nve", "timestep_fs": 4.0})
    dataset = training_dataset(orm.Dict({}), trajectory_000=trajectory, thermo_000=drifting.store())
    assert any("drifts by 2.5 meV per atom and ps" in remark for remark in dataset.base.attributes.get("remarks"))
    dataset = training_dataset(orm.Dict({}), trajectory_000=trajectory, thermo_000=thermo)
    assert not any("drifts" in remark for remark in dataset.base.attributes.get("remarks"))


def test_a_dataset_grows() -> None:
    """Other frames join a dataset, whose own sources keep how they are split."""
    (first,) = [nodes_of(run_md())]
    dataset = training_dataset(orm.Dict({}), trajectory_000=first[0], thermo_000=first[1])
    second = nodes_of(run_md(seed=5))
    (old,) = gather_sources([dataset]).sources
    assert old.thermo is not None and old.thermo.uuid == first[1].uuid
    splits = {"trajectory_000": "by_block", "trajectory_001": "train"}
    nodes = {**inputs_of([old]), "trajectory_001": second[0], "thermo_001": second[1]}
    grown = training_dataset(orm.Dict({"split": "given", "splits": splits}), **nodes)
    for name in ("n_validation", "n_test"):
        assert grown.base.attributes.get(name) == dataset.base.attributes.get(name)
    mine = grown.get_array("source") == 0
    assert grown.get_array("frame")[mine].tolist() == dataset.get_array("frame").tolist()
    assert grown.get_array("split")[mine].tolist() == dataset.get_array("split").tolist()
    assert set(grown.get_array("split")[~mine]) == {0}


def test_numbers_of_inputs_are_kept() -> None:
    trajectory, thermo = nodes_of(run_md(n_frames=120))
    sources = sources_of({"trajectory_007": trajectory, "thermo_007": thermo}, {"trajectory_007": 4})
    assert [(source.key, source.run) for source in sources] == [("trajectory_007", 4)]


@pytest.mark.slow
def test_runs_of_pw_below_the_hints_and_at_different_cut_offs(
    quantumespresso_engine: dict[str, Any], lithium_oxide: orm.StructureData
) -> None:
    settings = {"temperature_K": 600.0, "timestep_fs": 1.0, "n_steps": 10, "sample_every": 1, "seed": 7}
    inputs = {"structure": lithium_oxide, "parameters": orm.Dict(settings), "engine": quantumespresso_engine}
    chain = run_get_node(QuantumEspressoMdWorkChain, **inputs)[1]
    assert chain.is_finished_ok, chain.exit_message
    nodes = inputs_of(gather_sources([chain]).sources)
    with pytest.raises(ValueError, match=r"Li\.pbesol.* at least 78/355 Ry.*--allow low_cutoffs"):
        training_dataset(orm.Dict({}), **nodes)
    with pytest.raises(ValueError, match="the longest run has 10 fs"):
        training_dataset(orm.Dict({"allow": ["low_cutoffs"]}), **nodes)
    small = {"allow": ["low_cutoffs"], "split": "interpolated", "stride_fs": 1.0}
    dataset = training_dataset(orm.Dict(small), **nodes)
    attributes = dataset.base.attributes.all
    assert attributes["level_of_theory"] == "QE PBEsol (25/150 Ry, below 78/355 Ry)"
    assert (attributes["checks"][0]["method"], attributes["has_stress"]) == ("work", True)
    assert attributes["checks"][0]["value"] == pytest.approx(1.0, abs=0.03)
    assert any("25/150 Ry is given" in remark for remark in attributes["remarks"])
    other = quantumespresso_engine["namelists"].get_dict()
    other["SYSTEM"]["ecutwfc"] = 30.0
    second = quantumespresso_engine | {"namelists": orm.Dict(other)}
    short = orm.Dict(settings | {"n_steps": 2})
    chain = run_get_node(QuantumEspressoMdWorkChain, **inputs | {"engine": second, "parameters": short})[1]
    assert chain.is_finished_ok, chain.exit_message
    both = inputs_of(gather_sources([chain]).sources)
    mixed = nodes | {name.replace("000", "001"): node for name, node in both.items()}
    with pytest.raises(ValueError, match=r"cut-off of the wave functions \(Ry\) 25 and 30"):
        training_dataset(orm.Dict(small), **mixed)
