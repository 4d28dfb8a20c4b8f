"""Rates, energies and a jump diffusivity from jump counts, each with its counting error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.units import BOLTZMANN_EV_K, CM2_S_PER_A2_PS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Jumps between the same kinds of sites are of one type unless their lengths differ by a gap larger than this,
#: angstrom.
DISTANCE_GAP_A = 0.5


@dataclass(frozen=True)
class JumpTable:
    """All jumps, in any order.

    :param replica: index of the replica, (k,).
    :param ion: index of the mobile ion, (k,).
    :param start: site left, (k,).
    :param destination: site reached, (k,).
    :param image: cell of the site reached, relative to that of the site left, (k, 3).
    :param start_frame: last frame at the site left, (k,).
    :param stop_frame: first frame at the site reached, (k,).
    """

    replica: IntArray
    ion: IntArray
    start: IntArray
    destination: IntArray
    image: IntArray
    start_frame: IntArray
    stop_frame: IntArray

    def __len__(self) -> int:
        return len(self.start)

    def vectors(self, sites: FloatArray, cell: FloatArray) -> FloatArray:
        """Vectors from site to site, angstrom, (k, 3)."""
        vectors_A: FloatArray = (sites[self.destination] + self.image - sites[self.start]) @ cell
        return vectors_A


def concatenate(tables: Sequence[JumpTable]) -> JumpTable:
    """Return the jumps of several replicas as one table."""
    names = ("replica", "ion", "start", "destination", "image", "start_frame", "stop_frame")
    return JumpTable(**{name: np.concatenate([getattr(table, name) for table in tables]) for name in names})


class Interval(NamedTuple):
    """Ends of a 95 % interval."""

    low: float
    high: float


def poisson_interval(count: float, confidence: float = 0.95) -> Interval:
    """Exact central interval of the mean of a Poisson count (Garwood, Biometrika 28, 437 (1936)).

    :param count: the count, which need not be an integer, such as an effective number of jumps.
    """
    tail = (1.0 - confidence) / 2.0
    low = float(stats.chi2.ppf(tail, 2.0 * count)) / 2.0 if count > 0 else 0.0
    return Interval(low, float(stats.chi2.ppf(1.0 - tail, 2.0 * count + 2.0)) / 2.0)


@dataclass(frozen=True)
class JumpType:
    """Jumps between two kinds of sites over one distance.

    :param start: label of the sites left.
    :param destination: label of the sites reached.
    :param distance_A: mean length, angstrom.
    :param n_jumps: number of jumps.
    :param rate_1_ps: jumps per mobile ion, wherever it is, 1/ps, with 95 % interval from the count.
    :param effective_rate_1_ps: jumps per ion at a site of the kind left, 1/ps.
    :param activation_energy_eV: -kT ln(effective rate / attempt frequency), eV.
    """

    start: str
    destination: str
    distance_A: float
    n_jumps: int
    rate_1_ps: float
    rate_ci95_1_ps: list[float]
    effective_rate_1_ps: float | None
    activation_energy_eV: float | None
    activation_energy_ci95_eV: list[float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping."""
        return asdict(self)


def jump_types(
    table: JumpTable,
    distances_A: FloatArray,
    labels: Sequence[str],
    occupancy: FloatArray,
    n_ions: int,
    time_ps: float,
    temperature_K: float,
    attempt_frequency_THz: float,
) -> list[JumpType]:
    """Group jumps by the kinds of sites and their length, the most frequent first.

    :param distances_A: length of each jump, (k,).
    :param labels: kind of each site.
    :param occupancy: mean number of ions at each site, (S,).
    :param time_ps: total length of all replicas, ps.
    """
    kinds = np.array(labels)
    at_kind = {label: float(occupancy[kinds == label].sum()) for label in dict.fromkeys(labels)}
    types = []
    for start, ions_there in at_kind.items():
        for destination in at_kind:
            chosen = np.flatnonzero((kinds[table.start] == start) & (kinds[table.destination] == destination))
            for members in _by_distance(chosen, distances_A):
                count = len(members)
                low, high = poisson_interval(count)
                per_ion, per_visitor = n_ions * time_ps, ions_there * time_ps
                kT = BOLTZMANN_EV_K * temperature_K

                def energy(n: float, denominator: float = per_visitor, kT: float = kT) -> float:
                    return float(-kT * np.log(n / denominator / attempt_frequency_THz))

                known = per_visitor > 0
                types.append(
                    JumpType(
                        start,
                        destination,
                        float(distances_A[members].mean()),
                        count,
                        count / per_ion,
                        [low / per_ion, high / per_ion],
                        count / per_visitor if known else None,
                        energy(count) if known else None,
                        [energy(high), energy(low)] if known else None,
                    )
                )
    return sorted(types, key=lambda kind: -kind.n_jumps)


def _by_distance(members: npt.NDArray[np.intp], distances_A: FloatArray) -> list[npt.NDArray[np.intp]]:
    """Split jumps where there is a gap in their sorted lengths."""
    if not len(members):
        return []
    order = members[np.argsort(distances_A[members])]
    return np.split(order, np.flatnonzero(np.diff(distances_A[order]) > DISTANCE_GAP_A) + 1)


class JumpDiffusivity(NamedTuple):
    """Diffusivity for uncorrelated jumps, cm^2/s."""

    value: float
    ci95: Interval
    tensor: FloatArray


def jump_diffusivity(vectors_A: FloatArray, n_ions: int, time_ps: float) -> JumpDiffusivity:
    """``D_J = sum |d|^2 / (6 N t)``, a third of the trace of the tensor sum d d / (2 N t).

    The interval is that of a Poisson count of (sum d^2)^2 / sum d^4 jumps of equal length.

    :param vectors_A: from site to site, angstrom, (k, 3).
    """
    tensor = vectors_A.T @ vectors_A / (2.0 * n_ions * time_ps) * CM2_S_PER_A2_PS
    value = float(np.trace(tensor)) / 3.0
    squares = (vectors_A**2).sum(axis=1)
    if value == 0.0:
        return JumpDiffusivity(0.0, Interval(0.0, 0.0), tensor)
    effective = float(squares.sum() ** 2 / (squares**2).sum())
    low, high = poisson_interval(effective)
    return JumpDiffusivity(value, Interval(value * low / effective, value * high / effective), tensor)
