"""Factory fixtures: a throw-away AiiDA profile, codes of the real engines, and small crystals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

pytest_plugins = [
    "aiida.tools.pytest_fixtures",
    "tests.campaign_fixtures",
    "tests.quick_engine",
    "tests.quantumespresso_fixtures",
    "tests.servers",
    "tests.vasp_fixtures",
]

ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", Path(__file__).parents[1] / ".engines"))
#: Files that take a minute or more: they begin first, so that none of them is left to one process at the end.
LONG_FILES = (
    *("dashboards/test_server.py", "test_end_to_end.py", "dashboards/test_browser.py", "queries/test_hostile.py"),
    *("workchains/conductivity/test_workchain.py", "workchains/md/test_base.py", "cli/services/test_daemon.py"),
    *("workchains/md/test_quantumespresso.py", "calculations/training/test_train.py", "cli/test_engine.py"),
    *("runners/potentials/test_engines.py", "workchains/student/test_workchain.py", "workchains/md/test_contract.py"),
)
#: Options that make a job of a test run on one core without MPI.
OPTIONS = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}, "withmpi": False}


#: Fixtures that start a server; tests with one are slow.
SERVERS = {"cluster", "postgres_cluster", "rabbitmq_port"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first, and those with servers of their own among the slow ones."""
    for item in items:
        if SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    root = Path(__file__).parent
    places = {str(root / name): place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(str(item.path), len(LONG_FILES)))


def engine_environment(name: str) -> Path:
    """Return the environment of an engine; skip, with the reason, where it is not installed."""
    folder = ENGINES / name
    if not (folder / "bin" / "python").exists():
        pytest.skip(f"no {name} environment in {ENGINES}: run `make engines`")
    return folder


@pytest.fixture
def python_code(aiida_code_installed: Callable[..., orm.InstalledCode]) -> Callable[[str, str], orm.InstalledCode]:
    """Return a factory: the Python of an engine's environment (or of this one) as a code."""

    def make(plugin: str, engine: str | None = None) -> orm.InstalledCode:
        python = sys.executable if engine is None else str(engine_environment(engine) / "bin" / "python")
        label = f"{engine or 'here'}-{plugin.rpartition('.')[2]}"
        return aiida_code_installed(label=label, default_calc_job_plugin=plugin, filepath_executable=python)

    return make


@pytest.fixture
def lammps_code(aiida_code_installed: Callable[..., orm.InstalledCode]) -> orm.InstalledCode:
    """Return LAMMPS from its environment."""
    folder = engine_environment("lammps")
    return aiida_code_installed(
        label="lammps",
        default_calc_job_plugin="ion.lammps_md",
        filepath_executable=str(folder / "bin" / "lmp"),
        prepend_text=f"export LD_LIBRARY_PATH={folder}/lib:$LD_LIBRARY_PATH",
    )


@pytest.fixture(scope="session")
def tiny_mace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a MACE checkpoint for copper and silver, trained on the spot; it has learnt what it was shown."""
    python = engine_environment("mace") / "bin" / "python"
    path = tmp_path_factory.mktemp("mace") / "tiny.model"
    program = Path(__file__).parent / "runners" / "make_tiny_mace.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, program, path], check=True, env=environment, capture_output=True, text=True)
    before, after = re.findall(r"\d+\.\d+", done.stdout.partition("force RMSE")[2])
    assert float(after) < 0.2 * float(before)
    return path


@pytest.fixture
def argon() -> orm.StructureData:
    """Return a face-centred cell of 32 argon atoms, a little shaken out of its lattice."""
    atoms = bulk("Ar", "fcc", a=5.6, cubic=True).repeat(2)
    atoms.rattle(0.02, seed=3)
    return orm.StructureData(ase=atoms)


@pytest.fixture
def lithium_nitride() -> orm.StructureData:
    """Return alpha-Li3N, P6/mmm, from its Wyckoff sites: 4 atoms."""
    atoms: Atoms = crystal(
        ["Li", "Li", "N"],
        [(0, 0, 0.5), (1 / 3, 2 / 3, 0), (0, 0, 0)],
        spacegroup=191,
        cellpar=[3.648, 3.648, 3.875, 90, 90, 120],
    )
    return orm.StructureData(ase=atoms)


@pytest.fixture
def lithium_oxide() -> orm.StructureData:
    """Return the primitive antifluorite cell of Li2O, a little shaken out of its lattice: 3 atoms, O first."""
    atoms = bulk("OLi2", "fluorite", a=4.62)
    atoms.rattle(0.02, seed=3)
    return orm.StructureData(ase=atoms)


@pytest.fixture
def lj_potential() -> orm.Dict:
    """Return Lennard-Jones argon for the ASE engine."""
    kwargs = {"sigma": 3.405, "epsilon": 0.01032, "rc": 8.5125}
    return orm.Dict({"name": "lj", "kwargs": kwargs})


@pytest.fixture
def md_settings() -> dict[str, Any]:
    """Return a short run of argon."""
    return {"temperature_K": 60.0, "timestep_fs": 2.0, "n_steps": 40, "sample_every": 5, "seed": 7}


@pytest.fixture
def walk() -> Callable[..., orm.TrajectoryData]:
    """Return a factory of Brownian trajectories with a known diffusivity and a vibrating framework."""

    def make(
        diffusivity_cm2_s: float = 1e-5, n_frames: int = 600, n_mobile: int = 16, seed: int = 0, step0: int = 0
    ) -> orm.TrajectoryData:
        from aiida_ion.calculations.trajectory_data import trajectory_node

        rng = np.random.default_rng(seed)
        frame_fs = 100.0
        sigma = np.sqrt(2 * diffusivity_cm2_s / 1e-4 * frame_fs / 1000)
        mobile = np.cumsum(rng.normal(0, sigma, (n_frames, n_mobile, 3)), axis=0)
        framework = rng.normal(0, 0.05, (n_frames, n_mobile, 3))
        positions = np.concatenate([mobile, framework], axis=1) + rng.uniform(0, 15, (2 * n_mobile, 3))
        steps = step0 + 50 * np.arange(n_frames)
        symbols = ["Li"] * n_mobile + ["Cl"] * n_mobile
        return trajectory_node(symbols, steps, positions.astype("f4"), np.eye(3) * 15.0, timestep_fs=2.0)

    return make
