"""Real trajectories for the benchmarks: LAMMPS runs, made on the spot, and Li6PS5Cl from kinisi's wheel."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from aiida_ion.analysis.trajectories.trajectory import Segment, unwrap
from aiida_ion.lammps import dumps, inputs
from aiida_ion.lammps.outputs import read_md
from aiida_ion.lammps.potentials import Potential, load_potential
from aiida_ion.lammps.structure import write_data
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.units import FS_PER_PS

ENGINES = Path(os.environ.get("AIIDA_ION_ENGINES", Path(__file__).parents[1] / ".engines"))
#: Lattice constant of lithium oxide at zero pressure and 1200 K with this potential, angstrom.
ANTIFLUORITE_A = 4.87
#: Lennard-Jones argon: sigma, angstrom, epsilon over Boltzmann's constant, K.
ARGON_SIGMA_A, ARGON_EPSILON_K = 3.405, 119.8
#: What is dropped at the start of a run, ps.
EQUILIBRATION_PS = 2.0


class Run(NamedTuple):
    """A trajectory: unwrapped positions in angstrom, times in ps, and the perfect supercell that it began from."""

    segment: Segment
    symbols: list[str]
    temperature_K: float
    reference: npt.NDArray[np.float64] | None = None


def fluorite(corner: str, tetrahedral: str, lattice_A: float, repeat: int) -> Atoms:
    """A supercell of the (anti)fluorite structure: one element on the fcc lattice, the other in all its tetrahedra."""
    cell = [lattice_A] * 3 + [90] * 3
    sites = [(0, 0, 0), (0.25, 0.25, 0.25)]
    made: Atoms = crystal([corner, tetrahedral], sites, spacegroup=225, cellpar=cell).repeat(repeat)
    return made


def antifluorite() -> Atoms:
    """96 atoms of Li2O."""
    return fluorite("O", "Li", ANTIFLUORITE_A, 2)


def in_lammps(
    folder: Path,
    atoms: Atoms,
    model: Potential,
    charges: Mapping[str, float],
    settings: MdSettings,
    extra: str = "",
    equilibration_ps: float = EQUILIBRATION_PS,
) -> Run:
    """Run a crystal with the input that the package writes.

    :param extra: further LAMMPS commands, put before ``run``.
    :param equilibration_ps: dropped at the start, ps.
    """
    symbols = atoms.get_chemical_symbols()
    velocities = starting_velocities(atoms.get_masses(), settings.temperature_K, settings.seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell[:], symbols, model, velocities))
    script = inputs.write_md_input(symbols, settings, model, charges)
    (folder / inputs.INPUT).write_text(script.replace("\nrun ", f"\n{extra}\nrun ", 1) if extra else script)
    done = _lammps(folder)
    result = read_md(
        folder, atoms.cell[:], settings, log=done.stdout, errors=done.stderr, start_step=0, continued=False
    )
    times_ps = result.steps * settings.timestep_fs / FS_PER_PS
    keep = times_ps >= equilibration_ps
    times_ps = times_ps[keep]
    segment = Segment(result.positions[keep], times_ps - times_ps[0], np.array(atoms.cell[:]))
    return Run(segment, symbols, settings.temperature_K, atoms.get_scaled_positions())


def lithium_oxide(folder: Path, temperature_K: float = 1300.0, time_ps: float = 30.0, seed: int = 1) -> Run:
    """Li2O with the potential of Pedone et al. (2006), 2 x 2 x 2 cells, 1 fs; the first 2 ps are dropped."""
    settings = MdSettings.from_dict(
        {
            "temperature_K": temperature_K,
            "timestep_fs": 1.0,
            "n_steps": round(time_ps * FS_PER_PS),
            "sample_every": 20,
            "seed": seed,
        }
    )
    return in_lammps(folder, antifluorite(), load_potential("pedone-2006"), {"Li": 1.0, "O": -2.0}, settings)


def argon(density: float) -> Atoms:
    """256 atoms of argon on a face-centred lattice, which melts, at a reduced density."""
    return bulk("Ar", "fcc", a=(4.0 / density) ** (1.0 / 3.0) * ARGON_SIGMA_A, cubic=True).repeat(4)


def positions_alone(
    folder: Path,
    atoms: Atoms,
    potential: str,
    temperature_K: float,
    *,
    timestep_fs: float,
    settling_steps: int,
    n_steps: int,
    sample_every: int,
    seed: int,
) -> Run:
    """A run at constant volume and temperature of which nothing but the positions is kept, after some steps to settle.

    Without what the engine writes at every step it is several times as fast, and long runs take no space.
    """
    symbols, model = atoms.get_chemical_symbols(), load_potential(potential)
    velocities = starting_velocities(atoms.get_masses(), temperature_K, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell[:], symbols, model, velocities))
    lines = [
        *inputs.system_commands(symbols, model),
        f"timestep {timestep_fs / 1000.0}",
        "fix move all nve",
        f"fix heat all temp/csvr {temperature_K} {temperature_K} 0.1 {seed + 17}",
        "thermo 100000",
        f"run {settling_steps}",
        "reset_timestep 0",
        f"dump frames all custom {sample_every} {inputs.FRAMES} xu yu zu",
        "dump_modify frames sort id",
        f"run {n_steps}",
    ]
    (folder / inputs.INPUT).write_text("\n".join(lines) + "\n")
    _lammps(folder)
    positions = dumps.read_dump(folder / inputs.FRAMES, {"positions": "xu"}, 0, None, None)["positions"]
    times_ps = np.arange(len(positions)) * (sample_every * timestep_fs / 1000.0)
    return Run(Segment(positions, times_ps, np.array(atoms.cell[:])), symbols, temperature_K)


def _lammps(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LD_LIBRARY_PATH": str(ENGINES / "lammps" / "lib"), "OMP_NUM_THREADS": "1"}
    command = [str(ENGINES / "lammps" / "bin" / "lmp"), "-in", inputs.INPUT]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)


def argyrodite(folder: Path) -> Run:
    """Li6PS5Cl, the XDATCAR of kinisi's tests; its file says no time: 2 fs and every 50th step, 500 K are assumed."""
    from pymatgen.io.vasp import Xdatcar

    path = folder / "XDATCAR"
    with gzip.open(str(files("kinisi") / "tests" / "inputs" / "example_XDATCAR.gz")) as packed, path.open("wb") as out:
        shutil.copyfileobj(packed, out)
    structures = Xdatcar(str(path)).structures
    cell = structures[0].lattice.matrix
    wrapped = np.array([structure.frac_coords for structure in structures]) @ cell
    segment = Segment(unwrap(wrapped, cell).positions, np.arange(len(wrapped)) * 0.1, cell)
    return Run(segment, [site.specie.symbol for site in structures[0]], 500.0)
