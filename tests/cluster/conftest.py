"""Computers behind the cluster of :mod:`tests.cluster.services`, and engines on them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiida import orm

from aiida_ion.engines.fits import register_diffusion_code
from tests.cli.conftest import Invoke, invoke
from tests.cluster.services import ALIAS, Cluster, missing, running_cluster, temporary_folder

__all__ = ["invoke"]
#: Between two looks at the queue, in seconds; a real cluster is asked less often.
POLL_S = 1.0


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start a cluster; skip, with the reason, where its programs are not installed."""
    if absent := missing():
        pytest.skip(f"no {', '.join(absent)}: run `make cluster`")
    folder = temporary_folder()
    try:
        with running_cluster(folder) as started:
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def add_computer(cluster: Cluster, label: str, transport: str, **configuration: Any) -> orm.Computer:
    """Return a new computer behind the cluster."""
    host = ALIAS if transport == "core.ssh_async" else "127.0.0.1"
    computer = orm.Computer(label, host, "", transport, "core.slurm", str(cluster.scratch)).store()
    computer.set_minimum_job_poll_interval(POLL_S)
    computer.set_default_mpiprocs_per_machine(1)
    computer.set_mpirun_command(["srun", "-n", "{tot_num_mpiprocs}"])
    computer.configure(safe_interval=0.0, **configuration)
    return computer


@pytest.fixture
def ssh_computer(cluster: Cluster, invoke: Invoke, aiida_localhost: orm.Computer) -> orm.Computer:
    """Return the cluster through ``core.ssh``, which takes port, user and key itself."""
    access = {"username": cluster.user, "port": cluster.port, "key_filename": str(cluster.key)}
    known = {"load_system_host_keys": False, "key_policy": "AutoAddPolicy", "look_for_keys": False}
    return add_computer(cluster, "cluster", "core.ssh", **access, **known)


@pytest.fixture
def async_computer(
    cluster: Cluster, invoke: Invoke, aiida_localhost: orm.Computer, monkeypatch: pytest.MonkeyPatch
) -> orm.Computer:
    """Return the cluster through ``core.ssh_async``, which reads the alias and the host key from the home."""
    monkeypatch.setenv("HOME", str(cluster.home))
    return add_computer(cluster, "cluster-async", "core.ssh_async", host=ALIAS)


def add_toy(invoke: Invoke, computer: orm.Computer, *options: str) -> str:
    """Register Lennard-Jones in this Python as an engine there, and this Python for the fits on this machine."""
    register_diffusion_code()
    where = ("--python", sys.executable, "--computer", computer.label)
    return str(invoke("engine", "add", "toy", *where, "--potential", "lj", *options).stderr)
