"""A surprise failure, planted: a potential of few cold frames explodes in a hot run. Watched, it is stopped before.

The loop of a student then makes of the same crystal and teacher a potential that runs to the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.settings.md import MdSettings
from aiida_ion.workchains.md.lammps import LammpsMdWorkChain
from aiida_ion.workchains.student import StudentWorkChain
from aiida_ion.workchains.student.engines import student_engine, watch_of_student
from tests.calculations.lammps.pod_fits import SMALL, fit
from tests.calculations.training.nodes import inputs_of
from tests.training.md import run_md

pytestmark = [pytest.mark.usefixtures("aiida_profile_clean"), pytest.mark.slow]
COLD_K, HOT_K = 100.0, 900.0
HOT = {"temperature_K": HOT_K, "timestep_fs": 4.0, "n_steps": 12_500, "sample_every": 5, "seed": 1}


def cell() -> orm.StructureData:
    """Return ordered CuAu, 16 atoms, as the dataset has it."""
    atoms = bulk("Cu", "fcc", a=3.7, cubic=True)
    atoms.symbols[[0, 1]] = "Au"
    return orm.StructureData(ase=atoms.repeat((2, 2, 1)))


def run(job: Any, structure: orm.StructureData, watch: dict[str, Any] | None, **changes: Any) -> Any:
    """Return a run of a fitted potential."""
    _, engine = student_engine(job, None, watch)
    return run_get_node(LammpsMdWorkChain, structure=structure, parameters=orm.Dict(HOT | changes), engine=engine)[1]


def series(node: Any, name: str) -> Any:
    """Return a quantity at every step of a run."""
    return np.concatenate([segment.get_array(name) for _, segment in sorted(node.outputs.thermo.items())])


def test_a_watched_run_is_stopped_before_it_fails_and_the_loop_repairs_it(
    python_code: Any, lammps_code: orm.InstalledCode
) -> None:
    cold: Any = training_dataset(orm.Dict({"stride_fs": 20.0, "max_frames": 60}), **inputs_of(run_md(COLD_K)))
    job = fit(lammps_code, cold, settings=SMALL | {"equations_per_descriptor": 2.0})
    free = run(job, cell(), None)
    assert free.exit_status == 410, "it must fail unwatched"
    watched = run(job, cell(), run_watch(cold))
    assert watched.exit_status == 411
    assert len(watched.called) <= 3  # one job, and the sum of its cost: neither continued nor repeated
    # Nothing else showed it yet: neither the temperature nor the forces had passed a limit.
    limits = MdSettings.from_dict(HOT)
    temperature, force = series(watched, "temperature"), series(watched, "max_force")
    assert temperature.max() < limits.max_temperature_ratio * HOT_K
    assert force.max() < limits.max_force_eV_A
    stopped, failed = len(temperature) - 1, len(series(free, "temperature")) - 1
    print(f"cold frames: {watched.exit_message}")
    print(f"stopped at step {stopped}, {temperature[-1]:.0f} K, largest force {force.max():.3g} eV/angstrom")
    print(f"unwatched it ends at step {failed}, {failed - stopped} steps later: {free.exit_message}")
    assert stopped < failed
    parameters = {
        "max_temperature_K": HOT_K / 1.1,
        "relax": False,
        "supercell": [2, 2, 1],
        "timestep_fs": 4.0,
        "n_train_steps": 200,
        "n_validation_steps": 60,
        "n_test_steps": 60,
        "explore_ps": 2.0,
        "acceptance_ps": 10.0,
        "student_sample_every": 5,
        "n_seeds": 2,
    }
    atoms = bulk("Cu", "fcc", a=3.7, cubic=True)
    atoms.symbols[[0, 1]] = "Au"
    student = run_get_node(
        StudentWorkChain,
        structure=orm.StructureData(ase=atoms),
        parameters=orm.Dict(parameters),
        teacher={
            "entry_point": orm.Str("ion.md.mlip"),
            "engine": {"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})},
        },
        trainer={
            "entry_point": orm.Str("ion.lammps_train"),
            "code": lammps_code,
            "parameters": orm.Dict({"settings": {"equations_per_descriptor": 2.0}}),
        },
        watch={"code": python_code("ion.watch")},
    )[1]
    assert student.is_finished_ok, student.exit_message
    last = max((c for c in student.called if c.process_label == "LammpsTrainCalculation"), key=lambda c: c.pk)
    repaired = run(last, cell(), watch_of_student(last, student.outputs.dataset, None))
    history = student.outputs.report.base.attributes.get("history")
    last_loop = history[-1]
    print(
        f"student: {len(history)} loops, {last_loop['n_train']} frames, {last_loop['force_mae_eV_A']:.3g} eV/angstrom"
    )
    assert repaired.is_finished_ok, repaired.exit_message
    print(f"watched, the student runs to step {len(series(repaired, 'temperature')) - 1}: {repaired.exit_status}")
