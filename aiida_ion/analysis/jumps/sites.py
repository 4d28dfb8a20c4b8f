"""Sites of the mobile ions, from a reference structure and from peaks of the density, and their kinds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.jumps.frames import JumpFrames
from aiida_ion.analysis.jumps.settings import JumpSettings

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Largest difference of cell vectors (relative) and angles between a structure and a trajectory of the same cell.
MAX_LENGTH_DIFFERENCE = 0.05
MAX_ANGLE_DIFFERENCE_DEG = 5.0
#: Largest mean distance of framework atoms from their positions in the structure of the same crystal, angstrom.
MAX_FRAMEWORK_DISTANCE_A = 1.5
#: Sites closer than this cannot be distinguished, angstrom.
MIN_DISTANCE_A = 0.5
#: Symmetry tolerance for sites of the same kind, angstrom.
SYMMETRY_TOLERANCE_A = 0.1
#: With more kinds of sites the structure is a snapshot without symmetry: all sites get one kind.
MAX_KINDS = 8


@dataclass(frozen=True)
class Reference:
    """A structure with the sites of the mobile ions, empty ones too, in the cell of the trajectory.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param symbols: element of each atom.
    :param fractional: positions, (n, 3).
    """

    cell: FloatArray
    symbols: list[str]
    fractional: FloatArray


@dataclass(frozen=True)
class Sites:
    """Sites of the mobile ions.

    :param fractional: positions, (S, 3), within the cell.
    :param labels: kind of each site.
    :param from_density: whether a site is a peak of the density, (S,).
    """

    fractional: FloatArray
    labels: list[str]
    from_density: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)

    def with_peaks(self, peaks: FloatArray, label: str) -> Sites:
        """Add peaks of the density."""
        return Sites(
            np.concatenate([self.fractional, peaks]) % 1.0,
            [*self.labels, *[label] * len(peaks)],
            np.concatenate([self.from_density, np.ones(len(peaks), dtype=bool)]),
        )


NO_SITES = Sites(np.empty((0, 3)), [], np.empty(0, dtype=bool))


def align(frames: JumpFrames, framework: FloatArray | None) -> JumpFrames:
    """Shift every replica so that its framework has the expected mean position.

    :param framework: fractional positions of the framework atoms, (F, 3); ``None``: as in the first replica.
    :raises ValueError: if the framework does not match that of the trajectory.
    """
    target = frames.framework[0] if framework is None else framework
    shifts = [_shift(own, target, frames.cell) for own in frames.framework]
    return replace(
        frames,
        mobile=[mobile + shift for mobile, shift in zip(frames.mobile, shifts, strict=True)],
        framework=[own + shift for own, shift in zip(frames.framework, shifts, strict=True)],
        vibration=frames.vibration + shifts[0],
    )


def _shift(own: FloatArray, target: FloatArray, cell: FloatArray) -> FloatArray:
    """Mean fractional vector from one framework to another, (3,)."""
    if len(own) == 0:
        return np.zeros(3)
    apart = target - own
    whole = np.angle(np.exp(2j * np.pi * apart).mean(axis=0)) / (2.0 * np.pi)  # the mean on a circle
    left = apart - whole
    left -= np.round(left)
    distance = float(np.linalg.norm((left - left.mean(axis=0)) @ cell, axis=1).mean())
    if distance > MAX_FRAMEWORK_DISTANCE_A:
        raise ValueError(
            f"framework atoms are {distance:.1f} angstrom from where they are expected: give a structure with the "
            "atoms of the trajectory in their order, and replicas of one crystal"
        )
    shift: FloatArray = whole + left.mean(axis=0)
    return shift


def structure_sites(
    reference: Reference,
    cell: FloatArray,
    symbols: Sequence[str],
    mobile_species: str,
    framework_species: Sequence[str],
) -> tuple[Sites, FloatArray]:
    """Return the mobile sites of a structure, and the fractional positions of its framework.

    :param cell: of the trajectory, angstrom, (3, 3).
    :param symbols: of the trajectory.
    :raises ValueError: if the structure is a different cell or crystal.
    """
    _check_cell(reference.cell, cell)
    mobile = np.array([symbol == mobile_species for symbol in reference.symbols])
    if not mobile.any():
        raise ValueError(f"the structure has no {mobile_species}")
    own = [symbol for symbol in reference.symbols if symbol in framework_species]
    if own != [symbol for symbol in symbols if symbol in framework_species]:
        raise ValueError("the structure's framework atoms are not those of the trajectory in the same order")
    kinds = _kinds(reference)[mobile]
    names = {kind: f"{mobile_species}{number + 1}" for number, kind in enumerate(dict.fromkeys(kinds.tolist()))}
    if not 1 < len(names) <= MAX_KINDS:
        names = dict.fromkeys(names, mobile_species)
    labels = [names[kind] for kind in kinds.tolist()]
    sites = Sites(reference.fractional[mobile] % 1.0, labels, np.zeros(len(labels), dtype=bool))
    return sites, reference.fractional[np.isin(np.array(reference.symbols), list(framework_species))]


def _check_cell(reference: FloatArray, cell: FloatArray) -> None:
    lengths, expected = (np.linalg.norm(vectors, axis=1) for vectors in (reference, cell))
    far = np.abs(lengths / expected - 1.0).max() > MAX_LENGTH_DIFFERENCE
    if far or np.abs(_angles(reference) - _angles(cell)).max() > MAX_ANGLE_DIFFERENCE_DEG:
        raise ValueError(
            f"the structure's cell has edges of {_words(lengths)} angstrom, the trajectory's {_words(expected)}: give "
            "the supercell that was simulated"
        )


def _angles(cell: FloatArray) -> FloatArray:
    """Angles between the cell vectors, degrees, (3,)."""
    unit = cell / np.linalg.norm(cell, axis=1)[:, None]
    angles: FloatArray = np.degrees(np.arccos((unit @ unit.T)[[1, 0, 0], [2, 2, 1]]))
    return angles


def _words(lengths: Any) -> str:
    return ", ".join(f"{length:.2f}" for length in lengths)


def _kinds(reference: Reference) -> npt.NDArray[np.int64]:
    """Number atoms by symmetry: equal numbers for equivalent ones, (n,)."""
    import spglib

    elements = list(dict.fromkeys(reference.symbols))
    numbers = [elements.index(symbol) + 1 for symbol in reference.symbols]
    crystal = (reference.cell.tolist(), reference.fractional.tolist(), numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's deprecation warning on error handling
        data = spglib.get_symmetry_dataset(crystal, symprec=SYMMETRY_TOLERANCE_A)
    return np.zeros(len(numbers), dtype=np.int64) if data is None else np.asarray(data.equivalent_atoms, dtype=np.int64)


def distances(first: FloatArray, second: FloatArray, cell: FloatArray) -> FloatArray:
    """Shortest distances between fractional positions over all images, angstrom, (n, m)."""
    from pymatgen.core.lattice import Lattice

    distances_A: FloatArray = np.asarray(Lattice(cell).get_all_distances(first, second), dtype=float)
    return distances_A


def far_peaks(
    peaks: FloatArray, sites: FloatArray, counts: IntArray, n_frames: int, cell: FloatArray, settings: JumpSettings
) -> FloatArray:
    """Return the peaks of the density that are far from all sites and occupied often enough, (k, 3).

    :param counts: visits to each voxel in ``n_frames`` frames, (nx, ny, nz).
    """
    far = peaks[distances(peaks, sites, cell).min(axis=1) >= settings.min_site_distance_A] if len(peaks) else peaks
    seen = np.argwhere(counts)
    weight = counts[tuple(seen.T)] / n_frames
    voxels = (seen + 0.5) / counts.shape
    held = [weight[distances(peak[None], voxels, cell)[0] < settings.min_site_distance_A].sum() for peak in far]
    values: FloatArray = far[np.array(held, dtype=float) >= settings.min_peak_occupancy]
    return values


def closest_distance(sites: FloatArray, cell: FloatArray) -> float:
    """Distance between the two closest sites or, for a single site, its images, angstrom.

    :raises ValueError: if two sites cannot be distinguished.
    """
    shortest = float(np.linalg.norm(cell, axis=1).min())
    if len(sites) > 1:
        apart = distances(sites, sites, cell)
        np.fill_diagonal(apart, np.inf)
        shortest = min(shortest, float(apart.min()))
    if shortest < MIN_DISTANCE_A:
        raise ValueError(f"two sites are {shortest:.2f} angstrom apart; the minimum is {MIN_DISTANCE_A:g} angstrom")
    return shortest
