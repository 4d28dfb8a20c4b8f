"""Input files of ``fitpod``: parameters, data settings, and the frames as extended XYZ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from aiida_ion.lammps.structure import Frame
from aiida_ion.training.constants import sum_of_constants
from aiida_ion.training.families.pod import Basis, PodSettings
from aiida_ion.training.frames import LabelledFrame

PARAM = "param.pod"
DATA = "data.pod"
#: Folder and file of the frames; ``fitpod`` reads every file of the folder.
FRAMES_FOLDER = "train"
FRAMES = "frames.xyz"
#: Start of the names of what ``fitpod`` writes.
BASENAME = "fit"
COEFFICIENTS = f"{BASENAME}_coefficients.pod"
#: Digits after the decimal point of the coefficients; the 8 of LAMMPS change forces in their sixth digit.
PRECISION = 14
_BODIES = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}


def write_param(species: Sequence[str], settings: PodSettings, basis: Basis) -> str:
    """Return the text of the parameter file, which ``pair_style pod`` reads too.

    :param species: the elements in the order of the atom types.
    :param settings: cut-offs and degrees.
    :param basis: numbers of functions.
    """
    lines = [
        f"species {' '.join(species)}",
        "pbc 1 1 1",
        f"rin {settings.rin_A:.16g}",
        f"rcut {settings.rcut_A:.16g}",
        f"bessel_polynomial_degree {settings.bessel_degree}",
        f"inverse_polynomial_degree {settings.inverse_degree}",
        "onebody 1",
        f"twobody_number_radial_basis_functions {basis.radial_2}",
    ]
    # What is left out has defaults of its own, which are not zero.
    for order, word in _BODIES.items():
        radial, angular = (getattr(basis, f"{name}_{order}", 0) for name in ("radial", "angular"))
        lines.append(f"{word}body_number_radial_basis_functions {radial}")
        lines.append(f"{word}body_angular_degree {angular if radial else 0}")
    return "\n".join(lines) + "\n"


def write_data(settings: PodSettings) -> str:
    """Return the text of the data file: weights, regularisation and where the frames are."""
    return (
        "file_format extxyz\n"
        "file_extension xyz\n"
        f'path_to_training_data_set "{FRAMES_FOLDER}"\n'
        f'path_to_test_data_set "{FRAMES_FOLDER}"\n'
        "fraction_training_data_set 1.0\n"
        "randomize_training_data_set 0\n"
        "error_analysis_for_training_data_set 1\n"
        "error_analysis_for_test_data_set 0\n"
        f"basename_for_output_files {BASENAME}\n"
        f"precision_for_pod_coefficients {PRECISION}\n"
        f"fitting_weight_energy {settings.energy_weight:.16g}\n"
        f"fitting_weight_force {settings.force_weight:.16g}\n"
        f"fitting_regularization_parameter {settings.regularisation:.16g}\n"
    )


def write_fit_frames(
    stream: TextIO, frames: Sequence[LabelledFrame], constants_eV: Mapping[str, float], rcut_A: float
) -> tuple[int, int]:
    """Write frames for ``fitpod``, in LAMMPS's orientation, wrapped into the cell, and return how many of what.

    ``fitpod`` looks for neighbours among so many images of the cell as its diagonal asks for, from the positions as
    they are given. Positions outside the cell, and skew cells that are narrower than the diagonal says, would lose
    neighbours without a word: positions are wrapped, and such cells repeated, see :func:`copies`.

    :param constants_eV: energy of each element that is taken off the energies: the regularisation pulls every
        coefficient to zero, and total energies of DFT are far from it.
    :param rcut_A: cut-off, angstrom.
    :returns: number of configurations and of atoms that are written.
    """
    n_atoms = 0
    for labelled in frames:
        frame = Frame.of(labelled.cell)
        shape = copies(frame.box, rcut_A)
        positions, forces = _repeated(frame, labelled, shape)
        symbols = list(labelled.symbols) * math.prod(shape)
        energy_eV = labelled.energy_eV - sum_of_constants(labelled, dict(constants_eV))
        cell = frame.box * np.array(shape)[:, None]
        lattice = " ".join(f"{x:.16g}" for x in cell.ravel())
        # Its parser reads past the end of the line where there is no stress; the fit uses none.
        stress = " ".join(["0"] * 9)
        stream.write(
            f'{len(symbols)}\nLattice="{lattice}" energy={energy_eV * math.prod(shape):.16g} stress="{stress}" '
            'Properties=species:S:1:pos:R:3:forces:R:3 pbc="T T T"\n'
        )
        for symbol, row in zip(symbols, np.hstack([positions, forces]), strict=True):
            stream.write(f"{symbol} {' '.join(f'{x:.16g}' for x in row)}\n")
        n_atoms += len(symbols)
    return len(frames), n_atoms


def copies(box: NDArray[np.float64], rcut_A: float) -> tuple[int, int, int]:
    """Return how often a cell is repeated along each vector, so that ``fitpod`` sees every neighbour.

    Wrapped positions have their neighbours within ``ceil(rcut / width)`` cells along each vector, the width being that
    between opposite faces; ``fitpod`` looks in ``ceil(rcut / diagonal)`` cells, which are fewer where a cell is skew.

    :param box: lower triangular (3, 3), angstrom.
    """
    widths = 1.0 / np.linalg.norm(np.linalg.inv(box), axis=0)
    result = []
    for width, diagonal in zip(widths, np.diag(box), strict=True):
        n = 1
        while math.ceil(rcut_A / (n * diagonal)) < math.ceil(rcut_A / (n * width)):
            n += 1
        result.append(n)
    return result[0], result[1], result[2]


def _repeated(
    frame: Frame, labelled: LabelledFrame, shape: tuple[int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions and forces, (n N, 3), of a repeated cell in LAMMPS's orientation."""
    fractions = frame.to_lammps(labelled.positions) @ np.linalg.inv(frame.box)
    wrapped = (fractions - np.floor(fractions)) @ frame.box
    shifts = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3) @ frame.box
    positions = (wrapped[None] + shifts[:, None]).reshape(-1, 3)
    return positions, np.tile(frame.to_lammps(labelled.forces), (len(shifts), 1))
