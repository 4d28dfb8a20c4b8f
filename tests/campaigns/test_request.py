"""A request is checked when it is made, is the one definition of the options, and says which settings it changes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import click
import pytest

from aiida_ion import campaigns
from aiida_ion.campaigns import EngineRequest, JobRequest, RunRequest
from aiida_ion.campaigns.overrides import collect_overrides
from aiida_ion.cli.benchmark import obelix_command
from aiida_ion.cli.run import command as run_command
from aiida_ion.engines.jobs import job_options
from aiida_ion.settings.schema import rules_of
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.protocols import read_overrides

FLAT = {name for kind in (RunRequest, EngineRequest, JobRequest) for name in rules_of(kind)} - {"engine", "jobs"}


def test_nothing_asked_changes_nothing() -> None:
    assert collect_overrides(RunRequest()) == {}
    assert job_options(JobRequest()) == job_options()


def test_flat_options_are_put_where_they_belong() -> None:
    request = RunRequest.from_options(temperatures_K=[800, 900], threads=2, device="cpu", group="trial", model=None)
    assert request == RunRequest(
        temperatures_K=[800.0, 900.0], group="trial", jobs=JobRequest(threads=2), engine=EngineRequest(device="cpu")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperatures": [800]}, "unknown option temperatures: did you mean temperatures_K"),
        ({"engine": {"device": "cpu"}}, "unknown option engine"),
        ({"temperatures_K": [-1]}, "temperatures_K must be a list of numbers from 1 to 10,000 K"),
        ({"timestep_fs": "2"}, "timestep_fs must be a number"),
        ({"device": "gpu"}, "device must be cpu, cuda"),
        ({"threads": 0}, "threads must be a whole number from 1"),
        ({"job_options": [1]}, "job_options must be a JSON object"),
        ({"overrides": {"md": {"timestep": 1}}}, "did you mean timestep_fs"),
        ({"fresh": 1}, "fresh must be true or false"),
    ],
)
def test_what_cannot_be_asked_for(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RunRequest.from_options(**options)


def test_a_request_is_never_changed_in_place() -> None:
    request = RunRequest(protocol="fast", overrides={"md": {"sample_every": 5}})
    with pytest.raises(FrozenInstanceError):
        request.protocol = "balanced"  # type: ignore[misc]
    collect_overrides(replace(request, timestep_fs=1.0))
    assert request == RunRequest(protocol="fast", overrides={"md": {"sample_every": 5}})


def test_every_setting_of_the_protocol_is_one_that_the_protocol_has() -> None:
    places = [item.metadata["place"] for item in fields(RunRequest) if "place" in item.metadata]
    assert len(places) == len(set(places)) >= 20
    request = RunRequest(
        temperatures_K=[800], keep=["forces"], charges={"Li": 1}, relax_ions=False, framework_species=["O"], jumps=True
    )
    overrides = collect_overrides(request)
    assert read_overrides(overrides) == overrides
    assert overrides == {
        "temperatures_K": [800.0],
        "relax_ions": False,
        "diffusion": {"framework_species": ["O"]},
        "charges": {"Li": 1.0},
        "md": {"keep": ["forces"]},
        "jumps": True,
    }


@pytest.mark.parametrize("command", [run_command, obelix_command], ids=["run", "obelix"])
def test_commands_pass_fields_of_the_request(command: click.Command) -> None:
    own = {"structures", "engines", "profile", "dry_run", "wait", "skip_bad", "yes", "selected", "source"}
    own |= {"max_atoms", "style"}  # of a dry run of the benchmark
    assert {str(parameter.name) for parameter in command.params} - own <= FLAT


def test_run_has_an_option_for_every_field() -> None:
    assert FLAT - {str(parameter.name) for parameter in run_command.params} == {"as_comparison"}


def test_each_request_for_jobs_wins_over_those_before() -> None:
    engine = JobRequest(processes=2, job_options={"queue_name": "gpu", "account": "mine"})
    options = job_options(engine, JobRequest(threads=4, walltime_s=60, job_options={"queue_name": "cpu"}))
    assert options == {
        "resources": {"num_machines": 1, "num_mpiprocs_per_machine": 2, "num_cores_per_mpiproc": 4},
        "max_wallclock_seconds": 60,
        "queue_name": "cpu",
        "account": "mine",
        "withmpi": True,
    }


def test_what_the_package_offers_exists_and_is_loaded_late(tmp_path: Path) -> None:
    assert all(getattr(campaigns, name) is not None for name in campaigns.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = campaigns.absent
    program = "import sys, aiida_ion.campaigns\nprint([n for n in ('aiida', 'numpy', 'pandas') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
