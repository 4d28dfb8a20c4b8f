"""One job of LAMMPS: ``fitpod`` on the training frames, then energies and forces of chosen frames with what it found.

The frames are evaluated by ``rerun``, with the pair style, files and order of types that molecular dynamics uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.lammps import rerun
from aiida_ion.lammps.inputs import DATA
from aiida_ion.lammps.logs import judge
from aiida_ion.lammps.pod.inputs import (
    COEFFICIENTS,
    FRAMES,
    FRAMES_FOLDER,
    PARAM,
    write_data,
    write_fit_frames,
    write_param,
)
from aiida_ion.lammps.pod.inputs import DATA as FIT_DATA
from aiida_ion.lammps.potentials import Potential
from aiida_ion.lammps.structure import write_data as write_structure
from aiida_ion.training.constants import sum_of_constants
from aiida_ion.training.families.pod import PodSettings, basis_of
from aiida_ion.training.frames import LabelledFrame

INPUT = "train.in"
EVALUATION = "evaluation_{:02d}"
_FITTED = "aiida-ion: the fit ended"
_EVALUATED = "aiida-ion: evaluation {:d}"
_SECONDS = "aiida-ion: seconds of fit and evaluation"
_MARK = re.compile(r"^aiida-ion: evaluation (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Prediction:
    """Frames that were evaluated.

    :param energies_eV: (n,), eV, with the constants of the elements.
    :param forces: n times (N, 3), eV/angstrom.
    """

    energies_eV: NDArray[np.float64]
    forces: list[NDArray[np.float64]]


def groups_of(frames: Sequence[LabelledFrame]) -> list[list[int]]:
    """Return the indices of frames, group by group: those with the same atoms in the same order, one rerun each."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, frame in enumerate(frames):
        groups.setdefault(tuple(frame.symbols), []).append(index)
    return list(groups.values())


def write_job(
    folder: Path,
    fitted: Sequence[LabelledFrame],
    evaluated: Sequence[LabelledFrame],
    species: Sequence[str],
    settings: PodSettings,
    constants_eV: Mapping[str, float],
) -> tuple[int, int]:
    """Write the input script and all files.

    :param fitted: frames of the fit; one that was drawn twice is there twice.
    :param evaluated: frames to evaluate with the result.
    :param species: all elements, in the order of the atom types.
    :param constants_eV: energy of each element, which the fit does not have to find.
    :returns: number of configurations and of atoms that the fit must report.
    """
    (folder / PARAM).write_text(write_param(species, settings, basis_of(settings, len(species))))
    (folder / FIT_DATA).write_text(write_data(settings))
    (folder / FRAMES_FOLDER).mkdir()
    with (folder / FRAMES_FOLDER / FRAMES).open("w") as stream:
        counts = write_fit_frames(stream, fitted, constants_eV, settings.rcut_A)
    lines = ["variable start timer", "units metal", f"fitpod {PARAM} {FIT_DATA}", "variable fitted timer"]
    lines.append(f'print "{_FITTED}"')
    potential = _potential(species)
    for number, group in enumerate(groups_of(evaluated)):
        place = EVALUATION.format(number)
        script = _write_evaluation(folder / place, [evaluated[index] for index in group], potential)
        lines += [f'print "{_EVALUATED.format(number)}"', f"shell cd {place}", "clear", script.rstrip(), "shell cd .."]
    lines += ["variable end timer", f'print "{_SECONDS} $(v_fitted-v_start:%.3f) $(v_end-v_fitted:%.3f)"']
    (folder / INPUT).write_text("\n".join(lines) + "\n")
    return counts


def excluded_files(n_groups: int) -> list[str]:
    """Return the files whose content the dataset has already, relative to the folder."""
    names = [f"{FRAMES_FOLDER}/{FRAMES}"]
    for number in range(n_groups):
        names += [f"{EVALUATION.format(number)}/{name}" for name in (DATA, rerun.RERUN_FRAMES)]
    return names


def fit_problem(log: str, errors: str) -> tuple[str, str] | None:
    """Return status and message of a job whose fit did not end; ``None`` if it did."""
    if re.search(f"^{_FITTED}$", log, re.MULTILINE) is not None:
        return None
    status, message, _ = judge(log, errors, 0)
    return status, message


def read_seconds(log: str) -> dict[str, float]:
    """Return the wall time of the fit and of the evaluation, s; empty for a job that did not end."""
    match = re.search(rf"^{_SECONDS} (\S+) (\S+)$", log, re.MULTILINE)
    return {} if match is None else {"fit_time_s": float(match[1]), "evaluation_time_s": float(match[2])}


def read_predictions(
    folder: Path, frames: Sequence[LabelledFrame], constants_eV: Mapping[str, float], *, log: str, errors: str = ""
) -> Prediction:
    """Read energies and forces of the frames that were evaluated, in their order.

    :param folder: of the files that the job left.
    :param frames: those given to :func:`write_job`.
    :param constants_eV: likewise; they are added again.
    :raises ValueError: if a frame is missing, or a number is not finite.
    """
    parts = _MARK.split(log)
    logs = {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}
    energies = np.full(len(frames), np.nan)
    forces: list[NDArray[np.float64]] = [np.zeros((0, 3))] * len(frames)
    for number, group in enumerate(groups_of(frames)):
        cells = np.array([frames[index].cell for index in group])
        part = rerun.read_rerun(folder / EVALUATION.format(number), cells, log=logs.get(number, ""), errors=errors)
        if part["status"] != "finished" or len(part["energies"]) != len(group):
            raise ValueError(f"{len(part['energies'])} of {len(group)} frames were evaluated: {part['message']}")
        for row, index in enumerate(group):
            energies[index] = part["energies"][row] + sum_of_constants(frames[index], dict(constants_eV))
            forces[index] = np.asarray(part["forces"][row], dtype=float)
    if not (np.isfinite(energies).all() and all(np.isfinite(one).all() for one in forces)):
        raise ValueError("an energy or a force of the fitted potential is not a finite number")
    return Prediction(energies, forces)


def _potential(species: Sequence[str]) -> Potential:
    """Return what was fitted, as it is while the job runs: its files are one folder above."""
    return Potential(
        name="POD",
        level_of_theory="POD",
        citation="",
        elements=tuple(species),
        charges={},
        header=("pair_style pod", f"pair_coeff * * ../{PARAM} ../{COEFFICIENTS} {{elements}}"),
        species=tuple(species),
    )


def _write_evaluation(folder: Path, frames: Sequence[LabelledFrame], potential: Potential) -> str:
    """Write the frames of one group, and return the script that evaluates them."""
    folder.mkdir()
    symbols = list(frames[0].symbols)
    positions: Any = np.array([frame.positions for frame in frames])
    cells = np.array([frame.cell for frame in frames])
    (folder / DATA).write_text(write_structure(positions[0], cells[0], symbols, potential))
    with (folder / rerun.RERUN_FRAMES).open("w") as stream:
        rerun.write_frames(stream, symbols, potential, positions, cells)
    return rerun.write_rerun_input(symbols, potential, cells)
