"""Codes of fits: on this machine, on another computer, and not to be mistaken for engines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.campaigns.plans import make_plans
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.places.limits import engine_limits
from tests.cli.conftest import Invoke, crystal_file, invoke, lj_engine, only_line

__all__ = ["crystal_file", "invoke", "lj_engine"]
FITS = ("--kind", "fits", "--python", sys.executable)


@pytest.fixture
def other_computer(invoke: Invoke, tmp_path: Path) -> orm.Computer:
    """Return a second computer, which is this machine under another name."""
    computer = orm.Computer("cluster", "localhost", "", "core.local", "core.direct", str(tmp_path)).store()
    computer.configure(safe_interval=0.0)
    computer.set_default_mpiprocs_per_machine(1)
    return computer


def test_fits_run_where_the_engine_is_if_they_can(
    lj_engine: str, other_computer: orm.Computer, invoke: Invoke, crystal_file: Path
) -> None:
    here = diffusion_code()
    assert diffusion_code(near=other_computer) == here
    options = ("--job-options", '{"max_memory_kb": 2000000}', "--threads", "2", "--max-jobs", "3")
    invoke("engine", "add", "kinisi", *FITS, "--computer", "cluster", *options)
    there = diffusion_code("kinisi@cluster")
    assert diffusion_code(near=other_computer) == there
    assert diffusion_code(near=here.computer) == here
    assert fit_options(here) == {}
    assert fit_options(there)["max_memory_kb"] == 2_000_000
    assert fit_options(there)["resources"]["num_cores_per_mpiproc"] == 2
    assert engine_limits([there.uuid]) == {there.uuid: 3}
    invoke("engine", "add", "far", "--python", sys.executable, "--potential", "lj", "--computer", "cluster")
    plans = [make_plans([str(crystal_file)], [name], RunRequest())[0] for name in (lj_engine, "far")]
    assert [plan.builder.diffusion.code.uuid for plan in plans] == [here.uuid, there.uuid]
    assert plans[1].builder.diffusion.metadata.options["max_memory_kb"] == 2_000_000
    (plan,) = make_plans([str(crystal_file)], ["far"], RunRequest(fit_code="kinisi@localhost"))
    assert plan.builder.diffusion.code.uuid == here.uuid


def test_the_code_of_fits_is_no_engine(lj_engine: str, invoke: Invoke, crystal_file: Path) -> None:
    uuid = diffusion_code().uuid
    add = ("engine", "add", "kinisi", "--python", sys.executable, "--potential", "lj", "--replace")
    assert "is the code of the fits: give the engine another name" in only_line(invoke(*add, code=1))
    assert diffusion_code().uuid == uuid
    assert "is an engine" in only_line(invoke("engine", "add", lj_engine, *FITS, code=1))
    with pytest.raises(ValueError, match="not one of fits; choose from kinisi@localhost"):
        diffusion_code(lj_engine)
    with pytest.raises(ValueError, match="there is no code 'nothing'"):
        make_plans([str(crystal_file)], [lj_engine], RunRequest(fit_code="nothing"))
    assert "fits take no --potential" in invoke("engine", "add", "f", *FITS, "--potential", "lj", code=2).stderr
