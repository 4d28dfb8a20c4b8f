"""Small real fits of POD potentials to Lennard-Jones crystals, and runs with them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones

from aiida_ion.lammps import inputs
from aiida_ion.lammps.fitted import write_reference
from aiida_ion.lammps.logs import EXIT_STATUS
from aiida_ion.lammps.outputs import MdOutputs, read_md
from aiida_ion.lammps.pod import job, outputs
from aiida_ion.lammps.pod.inputs import COEFFICIENTS, PARAM
from aiida_ion.lammps.potentials import Potential, load_potential
from aiida_ion.lammps.structure import write_data
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.training.families.pod import PodSettings
from aiida_ion.training.frames import LabelledFrame
from tests.lammps.conftest import run_lmp

#: Pairs only: what a Lennard-Jones crystal needs.
PAIRS = PodSettings(rcut_A=5.0, radial_2=8, radial_3=2, angular_3=1, radial_4=0)


def labelled(atoms: Atoms, **about: Any) -> LabelledFrame:
    """Return atoms with energy and forces of a Lennard-Jones potential that ends smoothly at 5 angstrom."""
    atoms = atoms.copy()
    atoms.calc = LennardJones(sigma=2.5, epsilon=0.15, rc=5.0, smooth=True)
    symbols = atoms.get_chemical_symbols()
    return LabelledFrame(
        symbols, atoms.positions, atoms.cell.array, atoms.get_potential_energy(), atoms.get_forces(), **about
    )


def rattled(atoms: Atoms, n_frames: int, seed: int = 1, amplitude_A: float = 0.12) -> list[LabelledFrame]:
    """Return strained and rattled copies, labelled."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(n_frames):
        one = atoms.copy()
        one.set_cell(one.cell.array @ (np.eye(3) + 0.01 * rng.normal(size=(3, 3))), scale_atoms=True)
        one.positions += amplitude_A * rng.normal(size=one.positions.shape)
        frames.append(labelled(one))
    return frames


@dataclass(frozen=True)
class Fitted:
    """A fit: its files, what its log says, and its predictions of the frames it was asked for."""

    folder: Path
    potential: Potential
    fit: outputs.Fit
    counts: tuple[int, int]
    prediction: job.Prediction
    log: str


def fit(
    folder: Path,
    frames: Sequence[LabelledFrame],
    evaluated: Sequence[LabelledFrame],
    settings: PodSettings = PAIRS,
    constants_eV: Mapping[str, float] | None = None,
) -> Fitted:
    """Run one job for real."""
    species = sorted(set(frames[0].symbols))
    constants = dict.fromkeys(species, 0.0) | dict(constants_eV or {})
    folder.mkdir()
    counts = job.write_job(folder, frames, evaluated, species, settings, constants)
    done = run_lmp(folder, job.INPUT)
    assert job.fit_problem(done.stdout, done.stderr) is None, done.stdout[-500:]
    read = outputs.read_fit(done.stdout)
    prediction = job.read_predictions(folder, evaluated, constants, log=done.stdout, errors=done.stderr)
    text = (folder / COEFFICIENTS).read_text()
    (folder / "coeff.pod").write_text(outputs.with_constants(text, species, constants, 14))
    commands = f"pair_style pod\npair_coeff * * {PARAM} coeff.pod {{elements}}"
    about = {"commands": commands, "level_of_theory": "LJ by POD", "files": [PARAM, "coeff.pod"], "species": species}
    return Fitted(folder, load_potential(about), read, counts, prediction, done.stdout)


def run_md(
    fitted: Fitted,
    folder: Path,
    atoms: Atoms,
    settings: MdSettings,
    *,
    potential: Potential | None = None,
    after: MdOutputs | None = None,
) -> MdOutputs:
    """Run one segment for real with a fitted potential, and read it."""
    folder.mkdir()
    model = potential or fitted.potential
    for name in fitted.potential.files:
        shutil.copy(fitted.folder / name, folder / name)
    symbols = atoms.get_chemical_symbols()
    velocities = starting_velocities(atoms.get_masses(), settings.temperature_K, settings.seed)
    (folder / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell.array, symbols, model, velocities))
    if after is not None:
        (folder / inputs.RESTART_IN).write_bytes(after.state["restart"].tobytes())
    write_reference(folder, model)
    (folder / inputs.INPUT).write_text(inputs.write_md_input(symbols, settings, model, {}, restart=after is not None))
    done = run_lmp(folder, inputs.INPUT)
    errors = done.stderr
    if done.returncode:  # as the shell of a job says it
        errors += f"\n{EXIT_STATUS} {done.returncode % 256}\n"
    start = int(after.state["step"]) if after is not None else 0
    return read_md(
        folder,
        atoms.cell.array,
        settings,
        log=done.stdout,
        errors=errors,
        start_step=start,
        continued=after is not None,
    )


def with_settings(settings: MdSettings, **changes: Any) -> MdSettings:
    """Return settings with some of them changed."""
    return replace(settings, **changes)
