"""``aiida-ion potential dataset`` on stored runs and on files."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from aiida_ion.calculations.training.frames import dataset_frames
from tests.calculations.training.nodes import nodes_of
from tests.cli.conftest import Invoke, only_line
from tests.training.md import Md, run_md

REAL = Path(__file__).parents[4] / "shared" / "data" / "li6ps5cl_dft"


def images(md: Md, rows: Any = slice(None)) -> list[Atoms]:
    frames = []
    for row in np.arange(len(md.positions))[rows]:
        atoms = Atoms(md.symbols, positions=md.positions[row], cell=md.cell, pbc=True)
        atoms.wrap()
        atoms.calc = SinglePointCalculator(
            atoms, energy=md.energies_eV[row], forces=md.forces[row], stress=md.stress[row]
        )
        frames.append(atoms)
    return frames


def facts(kelvin: float) -> list[Any]:
    return ["--timestep-fs", 4, "--sample-every", 1, "--temperature-K", kelvin, "--level-of-theory", "EMT"]


def only_dataset() -> orm.ArrayData:
    query = orm.QueryBuilder().append(orm.ArrayData, filters={"attributes": {"has_key": "closest_pairs_A"}})
    (node,) = query.all(flat=True)
    return node


def test_a_group_of_trajectories(invoke: Invoke) -> None:
    runs = [run_md(temperature_K=kelvin, n_frames=60, seed=seed) for seed, kelvin in enumerate((300.0, 900.0, 600.0))]
    group = orm.Group("dft").store()
    group.add_nodes([node for md in runs for node in nodes_of(md)[:1]])
    # The energies of trajectories made by hand are not known: nothing links them.
    assert "no source has energies and forces" in invoke("potential", "dataset", "--from-group", "dft", code=1).stderr
    linked = orm.Group("linked").store()
    for md in runs:
        _, thermo = nodes_of(md)
        trajectory, _ = nodes_of(md, thermo=thermo.uuid)
        linked.add_nodes([trajectory])
    result = invoke("potential", "dataset", "--from-group", "linked", "--test-temperature-K", 600, "--group", "sets")
    dataset = only_dataset()
    assert [node.pk for node in orm.Group.collection.get(label="sets").nodes] == [dataset.pk]
    for words in (
        "EMT: ",
        "by whole runs",
        "closest pairs, angstrom: Au-Au",
        "temperatures, K: 300, 600, 900",
        "only their sum is known",
        "closer in time than the stride",
        f"Next: aiida-ion show {dataset.pk}",
    ):
        assert words in result.output
    shown = invoke("show", dataset.pk).output
    table = result.output[result.output.index("EMT: ") : result.output.index("Next:")]
    assert all(line in shown for line in table.splitlines())
    tests = {frame.temperature_K for frame in dataset_frames(dataset) if frame.split == "test"}
    assert tests == {600.0}


def test_a_file_is_stored_once(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    write(path, images(run_md()))
    packed = tmp_path / "run.extxyz.xz"
    packed.write_bytes(lzma.compress(path.read_bytes()))
    result = invoke("potential", "dataset", packed, *facts(600))
    assert "400 frames of 8 atoms" in result.output
    before = orm.QueryBuilder().append(orm.TrajectoryData).count()
    frames = dataset_frames(only_dataset())
    again = invoke("potential", "dataset", packed, *facts(600), "--stride-fs", 80)
    assert "was imported before (same sha256)" in again.output
    assert orm.QueryBuilder().append(orm.TrajectoryData).count() == before == 1
    md = run_md()
    for frame in frames[::5]:
        assert frame.energy_eV == pytest.approx(md.energies_eV[frame.index])
        assert frame.forces == pytest.approx(md.forces[frame.index], abs=1e-5)
        assert frame.stress == pytest.approx(md.stress[frame.index], abs=1e-6)


def test_energies_that_are_not_those_of_the_forces_are_refused(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    frames = images(run_md())
    for atoms in frames:
        atoms.calc.results["forces"] = -atoms.calc.results["forces"]
    write(path, frames)
    line = only_line(invoke("potential", "dataset", path, *facts(600), code=1))
    assert "the forces have the wrong sign" in line and "--allow work" in line
    assert not orm.QueryBuilder().append(orm.ProcessNode).count()
    result = invoke("potential", "dataset", path, *facts(600), "--allow", "work")
    assert "note: " in result.output and "wrong sign" in result.output


def test_frames_that_stand_alone(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "set.extxyz"
    frames = [*images(run_md(), slice(10, None, 20)), *images(run_md(n_gold=1), slice(10, None, 20))]
    order = np.random.default_rng(1).permutation(len(frames))
    write(path, [frames[number] for number in order])
    line = only_line(invoke("potential", "dataset", path, "--level-of-theory", "EMT", code=1))
    assert "frames 0" in line or "frame" in line
    result = invoke("potential", "dataset", path, "--independent", "--level-of-theory", "EMT")
    assert "40 frames that do not follow each other, of 2 compositions (8 to 8 atoms)" in result.output
    assert "not tested" in result.output
    dataset = only_dataset()
    attributes = dataset.base.attributes.all
    assert sum(attributes[f"n_{name}"] for name in ("train", "validation", "test")) == 40
    # Two compositions of the same two elements determine both constants.
    assert attributes["constants_are_determined"]
    again = invoke("potential", "dataset", path, "--independent", "--level-of-theory", "EMT")
    assert "was imported before" in again.output
    assert orm.QueryBuilder().append(orm.TrajectoryData).count() == 2


def test_bad_input_is_one_line_that_says_what_to_do(invoke: Invoke, tmp_path: Path) -> None:
    assert "name runs or files" in invoke("potential", "dataset", code=2).stderr
    assert "there is no node 99999" in only_line(invoke("potential", "dataset", 99999, code=1))
    assert "neither a file nor" in only_line(invoke("potential", "dataset", "none.extxyz", code=1))
    assert "there is no group" in only_line(invoke("potential", "dataset", "--from-group", "none", code=1))
    number = orm.Int(3).store()
    assert "has no trajectory; name" in only_line(invoke("potential", "dataset", number.pk, code=1))
    path = tmp_path / "bare.extxyz"
    bare = images(run_md())
    for atoms in bare:
        atoms.calc = None
    write(path, bare)
    assert "does not state energy and forces" in only_line(invoke("potential", "dataset", path, *facts(600), code=1))
    write(path, images(run_md()))
    line = only_line(invoke("potential", "dataset", path, "--temperature-K", 600, "--level-of-theory", "EMT", code=1))
    assert "--timestep-fs" in line and "--independent" in line


def test_the_folder_of_a_real_run_of_vasp(invoke: Invoke) -> None:
    """Ten steps of titanium: too few to be split, and right."""
    folder = REAL.parent / "vasp_aimd" / "ti"
    if not folder.is_dir():
        pytest.skip(f"no run of VASP in {folder}")
    line = only_line(invoke("potential", "dataset", folder, "--temperature-K", 425, code=1))
    assert "the longest run has 18 fs" in line
    few = ["--split", "interpolated", "--stride-fs", 1]
    result = invoke("potential", "dataset", folder, "--temperature-K", 425, *few)
    assert "vasprun.xml was imported before" in result.output
    attributes = only_dataset().base.attributes.all
    assert attributes["level_of_theory"] == "VASP PBE"
    assert attributes["checks"][0]["method"] == "work"
    assert attributes["checks"][0]["value"] == pytest.approx(1.0, abs=0.01)


def test_real_runs_of_an_argyrodite(invoke: Invoke) -> None:
    """Li6PS5Cl by VASP PBE at 600 and 1200 K, 85 frames each: coarse in time, and right."""
    if not REAL.is_dir():
        pytest.skip(f"no data of Li6PS5Cl in {REAL}")
    for kelvin in (600, 1200):
        given = ["--timestep-fs", 2, "--sample-every", 10, "--temperature-K", kelvin, "--level-of-theory", "VASP PBE"]
        result = invoke("potential", "dataset", REAL / f"{kelvin}K.extxyz.xz", *given, "--group", "sets")
        assert "85 frames of 416 atoms" in result.output
        assert "coarse work" in result.output
    trajectories = orm.QueryBuilder().append(orm.TrajectoryData, project=["id"]).all(flat=True)
    result = invoke("potential", "dataset", *trajectories)
    assert "Li192P32S160Cl32" in result.output.replace("Cl32Li192P32S160", "Li192P32S160Cl32")
    assert "stress: of every frame" in result.output
