"""All calls of GEMDAT: density, peaks, site occupation, collective jumps.

GEMDAT 1.8; method of de Klerk, van der Maas and Wagemaker, ACS Appl. Energy Mater. 1, 3230 (2018). It is called without
plots or printed output, and its results are checked here instead of relying on its warnings.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from aiida_ion.analysis.jumps.rates import JumpTable
from aiida_ion.units import HZ_PER_THZ, S_PER_FS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NO_SITE = -1
#: Largest width of a peak, angstrom.
MAX_PEAK_WIDTH_A = 1.2


class GemdatMissingError(ImportError):
    """GEMDAT cannot be imported; the message says what to install."""


class Vibration(NamedTuple):
    """GEMDAT's attempt frequency, THz, and vibration amplitude, angstrom."""

    attempt_frequency_THz: float
    amplitude_A: float


class Collective(NamedTuple):
    """Number of jumps searched for collective ones, and number of solo jumps."""

    n_jumps: int
    n_solo: int


def require_gemdat() -> str:
    """Import GEMDAT and return its version.

    :raises GemdatMissingError: if that fails.
    """
    try:
        with _quiet():
            import gemdat
    except ImportError as error:
        raise GemdatMissingError(
            f"GEMDAT cannot be imported ({error}): install it in this Python with "
            "'pip install aiida-ion[jumps]' or 'pip install \"gemdat>=1.8,<2\"'"
        ) from error
    return str(gemdat.__version__)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def gemdat_trajectory(
    fractional: FloatArray, species: str, cell: FloatArray, interval_fs: float, temperature_K: float
) -> Any:
    """Return positions as GEMDAT's trajectory.

    Its search tree needs the first cell vector along x and the second in the xy plane: the cell is rotated accordingly.

    :param fractional: wrapped or not, (n, M, 3).
    """
    from gemdat import Trajectory
    from pymatgen.core.periodic_table import Element

    wrapped = np.mod(fractional, 1.0)
    wrapped[wrapped >= 1.0] = 0.0
    return Trajectory(
        species=[Element(species)] * fractional.shape[1],
        coords=wrapped,
        lattice=standard_cell(cell),
        constant_lattice=True,
        time_step=interval_fs * S_PER_FS,
        metadata={"temperature": temperature_K},
    )


def standard_cell(cell: FloatArray) -> FloatArray:
    """Rotate a cell so that its matrix is lower triangular with a positive diagonal, (3, 3).

    A left-handed cell becomes its mirror image, with the same lengths and angles.
    """
    values: FloatArray = np.linalg.cholesky(cell @ cell.T).astype(np.float64)
    return values


def density(trajectory: Any, resolution_A: float) -> IntArray:
    """Return how often each voxel was visited, (nx, ny, nz)."""
    with _quiet():
        counts: IntArray = trajectory.to_volume(resolution=resolution_A).data
    return counts


def density_peaks(counts: IntArray, cell: FloatArray, background: float, smoothing_A: float) -> FloatArray:
    """Fractional positions of the peaks of a density, (k, 3), by GEMDAT, moved to the mean of the surrounding density.

    :param background: fraction of the largest density below which there is no peak.
    :param smoothing_A: standard deviation of the Gaussian that smooths the density first, angstrom.
    """
    from gemdat import Volume
    from pymatgen.core.lattice import Lattice

    lattice = Lattice(standard_cell(cell))
    voxel = np.array(lattice.lengths) / counts.shape
    widest = max(2.0, MAX_PEAK_WIDTH_A / float(voxel.min()))
    smooth = ndimage.gaussian_filter(counts.astype(float), tuple(smoothing_A / voxel), mode="wrap")
    with _quiet():
        result = Volume(data=smooth, lattice=lattice).to_structure(background_level=background, max_sigma=widest)
    peaks: FloatArray = np.asarray(result.frac_coords, dtype=float).reshape(-1, 3)
    return _centred(peaks, counts, lattice) if len(peaks) else peaks


def _centred(peaks: FloatArray, counts: IntArray, lattice: Any) -> FloatArray:
    """Move each peak to the mean position of the density nearest to it, within half the distance between peaks."""
    apart = lattice.get_all_distances(peaks, peaks)
    np.fill_diagonal(apart, min(lattice.lengths))
    reach = min(MAX_PEAK_WIDTH_A, 0.5 * float(apart.min()))
    seen = np.argwhere(counts)
    weight = counts[tuple(seen.T)].astype(float)
    voxels = (seen + 0.5) / counts.shape
    moved = peaks.copy()
    for number, peak in enumerate(peaks):
        step = voxels - peak
        step -= np.round(step)
        near = np.linalg.norm(step @ lattice.matrix, axis=1) < reach
        if near.any():
            moved[number] += (step[near] * weight[near, None]).sum(axis=0) / weight[near].sum()
    return np.mod(moved, 1.0)


def vibration(trajectory: Any) -> Vibration:
    """GEMDAT's vibration, from the distance of each ion from its first position."""
    metrics = trajectory.metrics()
    with _quiet():
        frequency, _ = metrics.attempt_frequency()
        return Vibration(float(frequency) / HZ_PER_THZ, float(metrics.vibration_amplitude()))


def site_visits(trajectory: Any, sites: FloatArray, species: str, radius_A: float) -> tuple[IntArray, Any]:
    """Return the site of each ion in each frame, -1 for none, (n, M), and GEMDAT's transitions if there are any.

    One radius for all sites: with radii by label, GEMDAT 1.8 confuses sites if one stays empty.
    """
    from gemdat import Transitions
    from pymatgen.core.structure import Structure

    lattice = trajectory.get_lattice()
    structure = Structure(lattice, [species] * len(sites), sites)
    try:
        with _quiet():
            transitions = Transitions.from_trajectory(
                trajectory=trajectory, sites=structure, floating_specie=species, site_radius=radius_A
            )
    except ValueError as error:
        if "at least one array" not in str(error):
            raise
        # No ion ever enters or leaves a site, which GEMDAT cannot tabulate: every frame is like the first.
        apart = lattice.get_all_distances(trajectory.positions[0], sites)
        first = np.where(apart.min(axis=1) < radius_A, apart.argmin(axis=1), NO_SITE)
        return np.broadcast_to(first, trajectory.positions.shape[:2]), None
    states: IntArray = transitions.states
    return states, transitions


def collective_jumps(
    transitions: Any, table: JumpTable, max_jumps: int, max_distance_A: float, attempt_frequency_THz: float
) -> Collective:
    """Count jumps, among the first of a trajectory, that coincide in time with a nearby jump of another ion.

    :param table: jumps of that trajectory.
    :param attempt_frequency_THz: two jumps can be one motion within one period of this vibration.
    """
    import pandas as pd
    from gemdat import Jumps
    from gemdat.collective import Collective as GemdatCollective

    first = np.lexsort((table.start_frame, table.stop_frame))[:max_jumps]
    if not len(first):
        return Collective(0, 0)
    data = pd.DataFrame(
        {
            "atom index": table.ion[first],
            "start site": table.start[first],
            "destination site": table.destination[first],
            "start time": table.start_frame[first],
            "stop time": table.stop_frame[first],
        }
    )
    trajectory = transitions.diff_trajectory
    max_steps = math.ceil(1.0 / (attempt_frequency_THz * HZ_PER_THZ * trajectory.time_step))
    with _quiet():
        jumps = Jumps(transitions, conversion_method=lambda *_, **__: data)
        collective = GemdatCollective(
            jumps, transitions.sites, trajectory.get_lattice(), max_steps=max_steps, max_dist=max_distance_A
        )
    return Collective(len(first), int(collective.n_solo_jumps))
