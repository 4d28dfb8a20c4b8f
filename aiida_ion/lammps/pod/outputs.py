"""What ``fitpod`` writes: its log, and the file of coefficients."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_COUNTS = {
    "n_configurations": r"^number of configurations in all files: (\d+)",
    "n_atoms": r"^number of atoms in all files: (\d+)",
    "n_descriptors": r"^number of global descriptors: (\d+)",
}
_SPECIES = re.compile(r"^species: (.*)$", re.MULTILINE)
_ERRORS = re.compile(r"^All files\s+\d+\s+\d+\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE)
_HEAD = re.compile(r"model_coefficients: (\d+) 0 0\s*")


@dataclass(frozen=True)
class Fit:
    """The log of a fit.

    :param species: the elements in the order of the types.
    :param energy_mae_eV_atom: of the frames that were fitted, as are the others.
    """

    species: tuple[str, ...]
    n_configurations: int
    n_atoms: int
    n_descriptors: int
    energy_mae_eV_atom: float
    energy_rmse_eV_atom: float
    force_mae_eV_A: float
    force_rmse_eV_A: float


def read_fit(log: str) -> Fit:
    """Read the log of ``fitpod``.

    :raises ValueError: if a count or the training errors are missing.
    """
    counts = {}
    for name, pattern in _COUNTS.items():
        match = re.search(pattern, log, re.MULTILINE)
        if match is None:
            raise ValueError(f"the log of fitpod does not state {name}")
        counts[name] = int(match[1])
    species, errors = _SPECIES.search(log), _ERRORS.search(log)
    if species is None or errors is None:
        raise ValueError("the log of fitpod has no errors of the training frames")
    numbers = [float(word) for word in errors.groups()]
    return Fit(tuple(species[1].split()), *(counts[name] for name in _COUNTS), *numbers)


def check_fit(
    fit: Fit, *, species: Sequence[str], n_configurations: int, n_atoms: int, n_descriptors: int, force_rms_eV_A: float
) -> None:
    """Refuse a fit that was not made from what was given, or that describes nothing.

    A frame in a form that ``fitpod`` does not expect is left out without an error, and so is a failure to solve the
    normal equations.

    :param force_rms_eV_A: rms of the components of the given forces, eV/angstrom.
    :raises ValueError: with both numbers.
    """
    if fit.species != tuple(species):
        raise ValueError(f"fitpod read the elements {' '.join(fit.species)} instead of {' '.join(species)}")
    given = {"n_configurations": n_configurations, "n_atoms": n_atoms, "n_descriptors": n_descriptors}
    for name, expected in given.items():
        if getattr(fit, name) != expected:
            raise ValueError(f"fitpod read {name} = {getattr(fit, name)}, {expected} were given")
    if not fit.force_rmse_eV_A < force_rms_eV_A:
        raise ValueError(
            f"the fit describes nothing: its forces are wrong by {fit.force_rmse_eV_A:g} eV/angstrom (rms) where they "
            f"are {force_rms_eV_A:.3g}; the equations were not solved, raise the regularisation"
        )


def read_coefficients(text: str) -> NDArray[np.float64]:
    """Return the coefficients of a linear POD potential, (n,), eV.

    :raises ValueError: if the file has another form, another number of lines, or a number that is not finite.
    """
    head, _, body = text.partition("\n")
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ValueError(
            "not the coefficients of a linear POD potential: its first line must be 'model_coefficients: n 0 0'"
        )
    numbers = np.array([float(word) for word in body.split()])
    if len(numbers) != int(match[1]):
        raise ValueError(f"the file of coefficients has {len(numbers)} of {match[1]} numbers")
    if not np.isfinite(numbers).all():
        raise ValueError("a coefficient is not a finite number")
    return numbers


def with_constants(text: str, species: Sequence[str], constants_eV: Mapping[str, float], digits: int) -> str:
    """Return a file of coefficients whose energies include a constant for each element.

    The coefficients stand element by element, and the first of each is the energy of its free atom.

    :param text: as ``fitpod`` wrote it.
    :param constants_eV: energy that was taken off the frames for each element.
    :param digits: after the decimal point.
    """
    numbers = read_coefficients(text)
    per_element, rest = divmod(len(numbers), len(species))
    if rest:
        raise ValueError(f"{len(numbers)} coefficients do not belong to {len(species)} elements")
    numbers[::per_element] += [constants_eV.get(name, 0.0) for name in species]
    return (
        "\n".join([f"model_coefficients: {len(numbers)} 0 0", *(f"{number:.{digits}f}" for number in numbers)]) + "\n"
    )
