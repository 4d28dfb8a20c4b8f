"""A run that is stopped early, in whatever way, ends as the run that nothing disturbed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from tests.conftest import OPTIONS

#: Enough steps that the program is always caught in the middle, few enough to wait for.
SETTINGS = {
    "temperature_K": 60.0,
    "timestep_fs": 2.0,
    "n_steps": 6000,
    "sample_every": 100,
    "seed": 7,
    "restart_every_seconds": 0.2,
}

Run = Callable[..., orm.WorkChainNode]


@pytest.fixture
def run_md(argon: orm.StructureData, lj_potential: orm.Dict, python_code: Any) -> Run:
    """Return a factory: argon with the ASE engine and a code of the caller's choice."""

    def run(code: orm.InstalledCode | None = None, options: dict[str, Any] | None = None, **change: Any) -> Any:
        return run_get_node(
            MlipMdWorkChain,
            structure=argon,
            parameters=orm.Dict(SETTINGS | change),
            engine={
                "code": code or python_code("ion.mlip_md"),
                "potential": lj_potential,
                "metadata": {"options": OPTIONS | (options or {})},
            },
        )[1]

    return run


@pytest.fixture
def twice_killing_code(tmp_path: Path, aiida_code_installed: Any) -> orm.InstalledCode:
    """Return Python, but the first job dies after its very first restart file, the third before it starts."""
    count = tmp_path / "count"
    script = tmp_path / "python-killed-twice"
    script.write_text(f"""#!/bin/bash
echo >> {count}
case $(wc -l < {count}) in
  1) {sys.executable} "$@" & while [ ! -e restart.npz ]; do sleep 0.01; done; kill -9 $!;;
  2) {sys.executable} "$@" & while [ ! -e progress.json ]; do sleep 0.01; done; sleep 0.5; kill -9 $!;;
  3) kill -9 $$;;
  *) exec {sys.executable} "$@";;
esac
""")
    script.chmod(0o755)
    return aiida_code_installed(label="twice", default_calc_job_plugin="ion.mlip_md", filepath_executable=str(script))


@pytest.fixture
def killing_code(tmp_path: Path, aiida_code_installed: Any) -> orm.InstalledCode:
    """Return Python, but the first run of a job is killed without warning once it has got somewhere."""
    script = tmp_path / "python-killed-once"
    script.write_text(f"""#!/bin/bash
if [ -e restart.npz ]; then exec {sys.executable} "$@"; fi
{sys.executable} "$@" &
while [ ! -e progress.json ]; do sleep 0.05; done
sleep 0.5
kill -9 $!
""")
    script.chmod(0o755)
    return aiida_code_installed(label="killed", default_calc_job_plugin="ion.mlip_md", filepath_executable=str(script))


def frames(node: orm.WorkChainNode) -> tuple[list[int], np.ndarray[Any, Any]]:
    parts = [node.outputs.trajectories[label] for label in sorted(node.outputs.trajectories)]
    steps = [step for part in parts for step in part.get_array("steps").tolist()]
    return steps, np.concatenate([part.get_positions() for part in parts])


def n_jobs(node: orm.WorkChainNode) -> int:
    return sum(isinstance(child, orm.CalcJobNode) for child in node.called)


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_killed_or_out_of_time_it_ends_the_same(run_md: Run, killing_code: orm.InstalledCode) -> None:
    undisturbed = run_md()
    assert undisturbed.is_finished_ok, undisturbed.exit_message
    wall_time_s = undisturbed.outputs.cost["wall_time_s"]
    disturbed = {
        "killed": run_md(code=killing_code),
        "walltime": run_md(options={"max_wallclock_seconds": max(2, int(0.6 * wall_time_s))}),
    }
    steps, positions = frames(undisturbed)
    assert steps == list(range(0, 6001, 100))
    for why, node in disturbed.items():
        assert node.is_finished_ok, (why, node.exit_message)
        assert len(node.outputs.trajectories) >= 2, f"{why}: it was not disturbed"
        found_steps, found_positions = frames(node)
        assert found_steps == steps, why
        assert (found_positions == positions).all(), why
        thermo = [node.outputs.thermo[label].get_array("steps") for label in sorted(node.outputs.thermo)]
        assert np.concatenate(thermo).tolist() == list(range(6001)), why
        state, expected = node.outputs.state, undisturbed.outputs.state
        assert (state.get_array("positions") == expected.get_array("positions")).all(), why


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_jobs_that_get_nowhere_double_no_frame(run_md: Run, twice_killing_code: orm.InstalledCode) -> None:
    node = run_md(code=twice_killing_code)
    assert node.is_finished_ok, node.exit_message
    assert n_jobs(node) == 4
    assert frames(node)[0] == list(range(0, 6001, 100))
    thermo = [node.outputs.thermo[label].get_array("steps") for label in sorted(node.outputs.thermo)]
    assert np.concatenate(thermo).tolist() == list(range(6001))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_engine_that_is_not_there_is_said_at_once(run_md: Run, python_code: Any, argon: Any) -> None:
    node = run_get_node(
        MlipMdWorkChain,
        structure=argon,
        parameters=orm.Dict(SETTINGS),
        engine={
            "code": python_code("ion.mlip_md"),
            "potential": orm.Dict({"name": "sevenn"}),
            "metadata": {"options": OPTIONS},
        },
    )[1]
    assert node.exit_status == 500
    assert "[420]" in node.exit_message
    assert "pip install" in node.exit_message
    assert n_jobs(node) == 1, "it is not tried again"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_no_progress_is_given_up(run_md: Run, tmp_path: Path, aiida_code_installed: Any) -> None:
    script = tmp_path / "dies"
    script.write_text("#!/bin/bash\nkill -9 $$\n")
    script.chmod(0o755)
    code = aiida_code_installed(label="dies", default_calc_job_plugin="ion.mlip_md", filepath_executable=str(script))
    node = run_md(code=code)
    assert node.exit_status == 510
    assert n_jobs(node) == 2


@pytest.mark.usefixtures("aiida_profile_clean")
def test_another_checkpoint_than_the_expected_is_refused(run_md: Run, python_code: Any, argon: Any) -> None:
    node = run_get_node(
        MlipMdWorkChain,
        structure=argon,
        parameters=orm.Dict(SETTINGS | {"n_steps": 2}),
        engine={
            "code": python_code("ion.mlip_md", "chgnet"),
            "potential": orm.Dict({"name": "chgnet", "checkpoint_sha256": "0" * 64}),
            "metadata": {"options": OPTIONS},
        },
    )[1]
    assert node.exit_status == 500
    assert "[220]" in node.exit_message
    assert "sha256" in node.exit_message


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_stored_trajectory_is_small_and_there_is_one_copy(run_md: Run) -> None:
    node = run_md(n_steps=200, sample_every=1)
    trajectory = node.outputs.trajectories.segment_000
    repository = trajectory.base.repository
    stored = sum(repository.get_object_size(name) for name in repository.list_object_names())
    full = trajectory.numsteps * trajectory.numsites * 9 * 8
    assert stored <= full / 4
    job = trajectory.creator
    kept = job.base.repository.list_object_names() + job.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npy", ".npz"))]
