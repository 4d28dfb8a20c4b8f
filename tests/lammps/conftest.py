"""Short real runs of LAMMPS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from aiida_ion.lammps import inputs
from aiida_ion.lammps.outputs import MdOutputs, read_md
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import write_data
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities

ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", Path(__file__).parents[2] / ".engines"))
LMP = ENGINES / "lammps" / "bin" / "lmp"


def run_lmp(folder: Path, script: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Run LAMMPS in a folder."""
    environment = os.environ | {"LD_LIBRARY_PATH": str(ENGINES / "lammps" / "lib"), "OMP_NUM_THREADS": "1"}
    options = {
        "cwd": folder,
        "env": environment,
        "capture_output": True,
        "text": True,
        "timeout": 120,
    } | kwargs
    return subprocess.run([str(LMP), "-in", script], check=False, **options)


@pytest.fixture(scope="session")
def lmp() -> Path:
    """The program, or a skip."""
    if not LMP.exists():
        pytest.skip(f"no LAMMPS at {LMP}: make it with 'aiida-ion engine install lammps'")
    return LMP


@pytest.fixture
def md(lmp: Path, tmp_path: Path) -> Callable[..., MdOutputs]:
    """Run one segment for real and read it."""
    made = iter(range(1000))

    def run(
        atoms: Atoms,
        settings: MdSettings,
        potential: str | Mapping[str, Any] = "lennard-jones-argon",
        *,
        charges: Mapping[str, float] | None = None,
        after: MdOutputs | None = None,
        max_seconds: float | None = None,
        closest_allowed_A: Mapping[str, float] | None = None,
    ) -> MdOutputs:
        folder = tmp_path / f"run_{next(made)}"
        folder.mkdir()
        symbols, model = atoms.get_chemical_symbols(), load_potential(potential)
        velocities = starting_velocities(atoms.get_masses(), settings.temperature_K, settings.seed)
        (folder / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell[:], symbols, model, velocities))
        if after is not None:
            (folder / inputs.RESTART_IN).write_bytes(after.state["restart"].tobytes())
        script = inputs.write_md_input(
            symbols,
            settings,
            model,
            charges or {},
            restart=after is not None,
            max_seconds=max_seconds,
            closest_allowed_A=closest_allowed_A,
        )
        (folder / inputs.INPUT).write_text(script)
        done = run_lmp(folder, inputs.INPUT)
        start = int(after.state["step"]) if after is not None else 0
        return read_md(
            folder,
            atoms.cell[:],
            settings,
            log=done.stdout,
            errors=done.stderr,
            start_step=start,
            continued=after is not None,
        )

    return run


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(7)
