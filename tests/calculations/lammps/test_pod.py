"""A fitted POD potential in every job of LAMMPS, for real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.calculators.emt import EMT

from aiida_ion.calculations.lammps import forces, md, relax
from aiida_ion.calculations.lammps.fitted import fitted_potential
from aiida_ion.calculations.lammps.forces import LammpsForcesCalculation
from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.lammps.relax import LammpsRelaxCalculation
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.calculations.lammps.pod_fits import dataset, fit
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
MD = {"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": 200, "sample_every": 20, "keep": ["forces"], "seed": 5}


def crystal(repeats: tuple[int, int, int] = (1, 1, 1)) -> Atoms:
    """Return the crystal of the training frames, its atoms away from their sites."""
    run = run_md()
    return Atoms(run.symbols, positions=run.positions[100], cell=run.cell, pbc=True).repeat(repeats)


def still(atoms: Atoms) -> orm.TrajectoryData:
    return trajectory_node(list(atoms.symbols), np.arange(1), atoms.positions[None], atoms.cell.array, timestep_fs=1.0)


@pytest.fixture
def student(lammps_code: orm.InstalledCode) -> dict[str, Any]:
    """Return code, potential and files of a finished fit."""
    node = fit(lammps_code, dataset())
    assert node.is_finished_ok, node.exit_message
    potential, files = fitted_potential(node.outputs.files)
    return {"code": lammps_code, "potential": orm.Dict(potential), "files": files}


def run(job: Any, student: dict[str, Any], **inputs: Any) -> orm.CalcJobNode:
    node: orm.CalcJobNode = run_get_node(job, **(student | inputs))[1]
    return node


def test_molecular_dynamics_relaxation_and_forces(student: dict[str, Any]) -> None:
    structure = orm.StructureData(ase=crystal())
    node = run(LammpsMdCalculation, student, structure=structure, parameters=orm.Dict(MD))
    assert node.is_finished_ok, node.exit_message
    trajectory = node.outputs.trajectory
    assert trajectory.get_array("steps").tolist() == list(range(0, 201, 20))
    own = trajectory.get_array("forces")
    evaluated = run(
        LammpsForcesCalculation, student, trajectories={"a": trajectory}, parameters=orm.Dict({"max_frames": 11})
    )
    assert evaluated.is_finished_ok, evaluated.exit_message
    np.testing.assert_allclose(evaluated.outputs.forces.get_array("forces"), own, atol=2e-4)
    # Its teacher agrees on the way: elements are not exchanged, and images across the small cell are seen.
    for frame in (0, 5, 10):
        atoms = crystal()
        atoms.positions = trajectory.get_array("positions")[frame]
        atoms.calc = EMT()
        theirs = atoms.get_forces()
        assert np.abs(theirs - own[frame]).mean() < 0.12 * np.abs(theirs).mean()
    relaxed = run(LammpsRelaxCalculation, student, structure=structure)
    assert relaxed.is_finished_ok, relaxed.exit_message
    assert relaxed.outputs.relaxation["final_max_force_eV_A"] < 0.02
    log = node.outputs.retrieved.base.repository.get_object_content("log.lammps", "r")
    assert "aiida-ion: the reference frame has its energy" in log
    assert not [name for name in node.base.repository.list_object_names() if name.endswith(".data")]


def test_small_cells_and_the_order_of_the_atoms(student: dict[str, Any]) -> None:
    atoms = crystal()
    turned = atoms[::-1]
    assert atoms.symbols[0] == "Au" and turned.symbols[0] == "Cu"
    # The cell is narrower than the cut-off: its own images are neighbours.
    cells = (atoms, turned, atoms.repeat((2, 3, 3)))
    nodes = [run(LammpsForcesCalculation, student, trajectories={"a": still(one)}) for one in cells]
    energies = [node.outputs.forces.get_array("energies")[0] for node in nodes]
    assert energies[1] == pytest.approx(energies[0], abs=1e-8)
    assert energies[2] == pytest.approx(18 * energies[0], abs=1e-6)
    forces = [node.outputs.forces.get_array("forces")[0] for node in nodes]
    np.testing.assert_allclose(forces[1][::-1], forces[0], atol=1e-6)
    np.testing.assert_allclose(forces[2][:8], forces[0], atol=1e-6)


@pytest.mark.slow
def test_another_potential_under_its_name_is_seen(student: dict[str, Any]) -> None:
    """Files whose elements are exchanged give the crystal an energy that is not the stored one."""
    files = dict(student["files"])
    param = files["param"].get_content("r").replace("species Au Cu", "species Cu Au")
    files["param"] = orm.SinglefileData.from_string(param, filename="param.pod")
    potential = orm.Dict(student["potential"].get_dict() | {"species": ["Cu", "Au"]})
    structure = {"structure": orm.StructureData(ase=crystal())}
    inputs: dict[Any, dict[str, Any]] = {
        LammpsForcesCalculation: {"trajectories": {"a": still(crystal())}},
        LammpsRelaxCalculation: structure,
        LammpsMdCalculation: structure | {"parameters": orm.Dict(MD)},
    }
    for job, given in inputs.items():
        node = run(job, student, files=files, potential=potential, **given)
        assert node.exit_status == 225, node.exit_message
        assert "the potential gives the reference frame" in node.exit_message
        assert not {"trajectory", "forces", "structure"} & set(node.outputs)


def test_what_it_may_not_be_used_for(student: dict[str, Any]) -> None:
    def problem(atoms: Atoms, potential: dict[str, Any] | None = None, **settings: Any) -> str:
        given = {
            "structure": orm.StructureData(ase=atoms),
            "potential": orm.Dict(student["potential"].get_dict() | (potential or {})),
            "files": student["files"],
        }
        found = md.validate_inputs(given | {"parameters": orm.Dict(MD | settings)}, None)
        if not settings:
            assert relax.validate_inputs(given, None) == found
        return str(found)

    whole = crystal((1, 2, 2))
    assert problem(whole) == "None"
    vacancy = whole.copy()
    del vacancy[0]
    assert "was fitted to AuCu and the cell is Au15Cu16" in problem(vacancy)
    copper = whole[[atom.index for atom in whole if atom.symbol == "Cu"]]
    assert "cells with Au, Cu, each of them, and the cell has Cu" in problem(copper)
    stretched = whole.copy()
    stretched.set_cell(whole.cell * 1.02, scale_atoms=True)
    assert "was fitted to volumes of 12.66 to 12.66 A^3 per atom and the cell has 13.44" in problem(stretched)
    assert "the stress of this potential was not fitted" in problem(whole, ensemble="npt")
    assert "says species Cu Au, and param.pod Au Cu" in problem(whole, {"species": ["Cu", "Au"]})
    frames = {"trajectories": {"a": still(vacancy)}, "parameters": orm.Dict({})}
    found = forces.validate_inputs(frames | {"potential": student["potential"], "files": student["files"]}, None)
    assert "the cell is Au15Cu16" in str(found)


@pytest.mark.slow
def test_runs_that_explode_or_crash(student: dict[str, Any]) -> None:
    hot = {"temperature_K": 9000.0, "timestep_fs": 10.0, "n_steps": 200, "sample_every": 1, "seed": 1}
    loose = {"max_force_eV_A": 1e6, "max_temperature_ratio": 1e8, "min_distance_ratio": 0.001}
    cell = orm.StructureData(ase=crystal((1, 2, 2)))
    node = run(LammpsMdCalculation, student, structure=cell, parameters=orm.Dict(hot | loose))
    assert node.exit_status == 410, node.exit_message
    steps = node.outputs.trajectory.get_array("steps")
    assert steps.tolist() == list(range(len(steps))) and len(steps) >= 2
    assert np.isfinite(node.outputs.trajectory.get_array("positions")).all()
    # Atoms out of sight of each other, in a job that nothing forbids.
    potential = student["potential"].get_dict() | {"volumes_A3_atom": []}
    lone = orm.StructureData(ase=Atoms("AuCu", positions=[(5, 5, 5), (20, 20, 20)], cell=[40, 40, 40], pbc=True))
    node = run(LammpsMdCalculation, student, structure=lone, parameters=orm.Dict(MD), potential=orm.Dict(potential))
    if node.is_finished_ok:
        pytest.skip("this LAMMPS computes atoms without neighbours: issue 5114 is solved in it")
    assert node.exit_status == 320, node.exit_message
    assert "LAMMPS crashed" in node.exit_message and "no neighbours within the cut-off" in node.exit_message
