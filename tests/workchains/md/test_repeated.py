"""Runs that were stopped before they got anywhere, or by a full disk: the same once more continues."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.manage.caching import enable_caching

from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
SETTINGS = {
    "temperature_K": 60.0,
    "timestep_fs": 2.0,
    "n_steps": 3000,
    "sample_every": 1,
    "seed": 7,
    "restart_every_seconds": 0.05,
    "keep": ["velocities", "forces"],
}
Run = Callable[..., orm.WorkChainNode]


@pytest.fixture
def run_md(argon: orm.StructureData, lj_potential: orm.Dict, python_code: Any) -> Run:
    def run(code: orm.InstalledCode | None, **change: Any) -> Any:
        engine = {
            "code": code or python_code("ion.mlip_md"),
            "potential": lj_potential,
            "metadata": {"options": OPTIONS},
        }
        with enable_caching(identifier="aiida.calculations:ion.*"):
            return run_get_node(
                MlipMdWorkChain, structure=argon, parameters=orm.Dict(SETTINGS | change), engine=engine
            )[1]

    return run


@pytest.fixture
def make_code(tmp_path: Path, aiida_code_installed: Any) -> Callable[[str, int], orm.InstalledCode]:
    """Return a factory: Python, but for the first jobs, of which each is a script of its own."""

    def make(script: str, n_times: int) -> Any:
        count, program = tmp_path / "count", tmp_path / "python-that-fails"
        program.write_text(f"""#!/bin/bash
echo >> {count}
if [ $(wc -l < {count}) -gt {n_times} ]; then exec {sys.executable} "$@"; fi
{script}
""")
        program.chmod(0o755)
        return aiida_code_installed(
            label="failing", default_calc_job_plugin="ion.mlip_md", filepath_executable=str(program)
        )

    return make


def small_disk(tmp_path: Path, size: str) -> str:
    """Return a script that runs Python in a folder with little room, and brings its files back; or skip."""
    trial = tmp_path / "trial"
    trial.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(trial)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk wants the right to mount one")
    subprocess.run(["umount", str(trial)], check=True)
    return f"""mkdir disk && mount -t tmpfs -o size={size} tmpfs disk || exit 1
ln -s "$PWD"/*.pyz disk; cp *.json disk; [ -e restart.npz ] && cp restart.npz disk
(cd disk && {sys.executable} "$@")
cp disk/*.npy disk/*.npz disk/results.json . ; umount disk; rmdir disk"""


def trajectory(run: orm.WorkChainNode) -> Any:
    segments = [run.outputs.trajectories[label] for label in sorted(run.outputs.trajectories)]
    return [np.concatenate([node.get_array(name) for node in segments]) for name in ("steps", "positions")]


@pytest.mark.slow
def test_two_kills_before_anything_end_a_run_and_the_same_again_goes_on(run_md: Run, make_code: Any) -> None:
    code = make_code("kill -9 $$", 2)
    run = run_md(code)
    assert run.exit_status == 510, run.exit_message
    assert "killed from outside" in run.exit_message
    again = run_md(code)
    assert again.is_finished_ok, again.exit_message
    assert trajectory(again)[0].tolist() == list(range(3001))


@pytest.mark.slow
def test_a_disk_that_is_full_before_anything_can_be_continued(run_md: Run, make_code: Any, tmp_path: Path) -> None:
    code = make_code(small_disk(tmp_path, "500k"), 1)
    run = run_md(code, restart_every_seconds=600.0)
    assert run.exit_status == 500, run.exit_message
    assert "[330]" in run.exit_message and "No space left on device" in run.exit_message
    again = run_md(code, restart_every_seconds=600.0)
    assert again.is_finished_ok, again.exit_message
    assert trajectory(again)[0].tolist() == list(range(3001))


@pytest.mark.slow
def test_a_disk_that_fills_up_on_the_way(run_md: Run, make_code: Any, tmp_path: Path) -> None:
    """What was reached counts, and the whole is the run that nothing disturbed."""
    run = run_md(make_code(small_disk(tmp_path, "2500k"), 1))
    assert run.is_finished_ok, run.exit_message
    first = next(child for child in run.called if isinstance(child, orm.CalcJobNode))
    assert first.exit_status == 400 and "No space left on device" in first.exit_message, first.exit_message
    reached = first.outputs.state.base.attributes.get("step")
    assert 0 < reached < 3000
    steps, positions = trajectory(run)
    assert steps.tolist() == list(range(3001))
    undisturbed = trajectory(run_md(None))
    np.testing.assert_array_equal(positions, undisturbed[1])
