"""A POD student of SevenNet-0 on lithium nitride: labels, fit, molecular dynamics and its errors, for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.lammps.fitted import fitted_potential
from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.lammps.train import LammpsTrainCalculation
from aiida_ion.calculations.mlip.forces import ForcesCalculation
from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.generated import generate_frames, pick_frames, push_pairs


def run(job: Any, **inputs: Any) -> orm.CalcJobNode:
    node: orm.CalcJobNode = run_get_node(job, **inputs)[1]
    assert node.is_finished_ok, node.exit_message
    return node


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_student_moves_at_a_hundredth_of_the_cost(
    python_code: Callable[[str, str], orm.InstalledCode],
    lammps_code: orm.InstalledCode,
    lithium_nitride: orm.StructureData,
) -> None:
    teacher = {"code": python_code("ion.forces", "sevenn"), "potential": orm.Dict({"name": "sevenn"})}
    crystal = orm.StructureData(ase=lithium_nitride.get_ase().repeat((3, 3, 2)))
    n_atoms = len(crystal.sites)
    frames = generate_frames(crystal, orm.Dict({"n_rattled": 30, "n_strained": 30, "seed": 1}))
    labels = run(ForcesCalculation, trajectories={"a": frames}, **teacher)
    dataset = training_dataset(
        orm.Dict({"split": "interpolated"}), trajectory_000=frames, labels_000=labels.outputs.forces
    )
    node = run(LammpsTrainCalculation, code=lammps_code, dataset=dataset)
    errors = node.outputs.report.base.attributes.get("errors")
    potential, files = fitted_potential(node.outputs.files)
    assert potential["level_of_theory"] == f"{dataset.base.attributes.get('level_of_theory')} by POD"
    settings = {"temperature_K": 900.0, "timestep_fs": 1.0, "n_steps": 500, "sample_every": 50, "seed": 2}
    md = run(
        LammpsMdCalculation,
        code=lammps_code,
        structure=crystal,
        parameters=orm.Dict(settings),
        potential=orm.Dict(potential),
        files=files,
    )
    on_md = run(ForcesCalculation, trajectories={"a": md.outputs.trajectory}, **teacher).outputs.forces
    keep = run(
        LammpsMdCalculation,
        code=lammps_code,
        structure=crystal,
        parameters=orm.Dict(settings | {"keep": ["forces"]}),
        potential=orm.Dict(potential),
        files=files,
    ).outputs.trajectory.get_array("forces")[on_md.get_array("frames")]
    theirs = on_md.get_array("forces")
    late = on_md.get_array("frames") > 2
    mae, size = np.abs(keep - theirs)[late].mean(), np.abs(theirs)[late].mean()
    ms = 1000.0 / (md.outputs.cost["steps_per_s"] * n_atoms)
    teacher_ms = (
        1000.0 * labels.outputs.cost["wall_time_s"] / (len(labels.outputs.forces.get_array("energies")) * n_atoms)
    )
    report = node.outputs.report.base.attributes
    maes = [errors[split]["forces"]["mae_eV_A"] for split in ("train", "test")]
    print(
        f"{report.get('n_weights')} coefficients, fit {node.outputs.cost['fit_time_s']:.1f} s; MAE train {maes[0]:.3f},"
    )
    print(f"test {maes[1]:.3f}, its MD {mae:.3f} of {size:.2f} eV/angstrom; {ms:.3f} ms per atom and step, teacher's")
    print(f"{teacher_ms:.1f}")
    assert errors["train"]["forces"]["mae_eV_A"] < 0.06
    assert mae < 0.25 * size
    assert teacher_ms > 20 * ms
    picked = pick_frames(orm.Dict({"last": 3, "spread": 3}), trajectory_000=md.outputs.trajectory)
    pushed = push_pairs(orm.Dict({"fractions": [0.85]}), run=md.outputs.trajectory)
    assert pushed.base.attributes.get("pairs") == ["Li-Li", "Li-N", "N-N"]
    for more in (picked, pushed):
        found = run(ForcesCalculation, trajectories={"a": more}, **teacher).outputs.forces
        assert np.abs(found.get_array("forces")).max() < 30.0
