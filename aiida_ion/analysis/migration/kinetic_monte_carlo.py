"""Carriers that exclude each other on a network of hops: kinetic Monte Carlo, many independent copies at once.

Each copy is a supercell of sites with a fixed number of carriers (vacancies, or interstitial ions). The next event of a
copy is chosen among the hops to sites that no other carrier holds, with probabilities as their rates, after a waiting
time from the exponential law of their sum (rejection-free: Bortz, Kalos & Lebowitz, J. Comput. Phys. 17, 10 (1975)).
Carriers feel nothing of each other but that a site holds one: no attraction, no repulsion, no shared relaxation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.migration.transport import Rates

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Events of a copy per window and carrier, before which a run is given up: blocked for good, or rates too far apart.
MAX_EVENTS_PER_WINDOW = 200_000


@dataclass(frozen=True)
class KmcSettings:
    """How much is sampled.

    :param multiples: repeats of the cell of sites along each vector.
    :param n_carriers: carriers in each copy.
    :param n_copies: independent copies.
    :param n_windows: time windows of a copy; an even number.
    :param hops_per_window: mean hops of a carrier in a window, which sets its length.
    :param seed: of the random numbers.
    """

    multiples: tuple[int, int, int]
    n_carriers: int
    n_copies: int = 64
    n_windows: int = 32
    hops_per_window: float = 50.0
    seed: int = 1


@dataclass(frozen=True)
class KmcResult:
    """What a run gave; errors are standard errors over copies.

    :param collective_A2_s: (3, 3), of the sum of all displacements, per carrier.
    :param collective_error_A2_s: (3, 3).
    :param tracer_A2_s: (3, 3), of single ions: those on the sites for vacancies, the carriers for interstitials.
    :param tracer_error_A2_s: (3, 3).
    :param n_events: hops of all copies.
    :param simulated_s: time of each copy.
    :param n_carriers, n_ions: in each copy.
    """

    collective_A2_s: FloatArray
    collective_error_A2_s: FloatArray
    tracer_A2_s: FloatArray
    tracer_error_A2_s: FloatArray
    n_events: int
    simulated_s: float
    n_carriers: int
    n_ions: int


def simulate(rates: Rates, settings: KmcSettings, carriers_are_vacancies: bool = True) -> KmcResult:
    """Run all copies and return their diffusion tensors.

    Tensors are slopes of mean squared displacements between one window and two, so that what hops back and forth within
    a window does not count as diffusion.

    :param rates: of a single carrier.
    :param carriers_are_vacancies: whether the tracers are the ions on the other sites, not the carriers.
    :raises ValueError: without a free site, or where carriers hardly move in a window.
    """
    table = _HopTable(rates, settings.multiples)
    if not 1 <= settings.n_carriers < table.n_sites:
        raise ValueError(
            f"{settings.n_carriers} carriers on {table.n_sites} sites: give one at least, and fewer than sites"
        )
    copies = _Copies(table, settings, carriers_are_vacancies)
    mean_rate = float((rates.occupancy[rates.first] * rates.rates_Hz).sum())
    window_s = settings.hops_per_window / mean_rate
    copies.advance(window_s)  # forget where carriers were put
    marks = [copies.snapshot()]
    single, double = _Moments(), _Moments()
    for _ in range(settings.n_windows):
        copies.advance(window_s)
        marks.append(copies.snapshot())
        single.add(marks[-2], marks[-1])
        if len(marks) >= 3:
            double.add(marks[-3], marks[-1])
            marks = marks[-2:]
    scale = 1.0 / (2.0 * window_s)
    collective = (double.collective() - single.collective()) * scale / settings.n_carriers
    tracer = (double.tracer() - single.tracer()) * scale
    return KmcResult(
        collective.mean(axis=0),
        _error(collective),
        tracer.mean(axis=0),
        _error(tracer),
        copies.n_events,
        window_s * settings.n_windows,
        settings.n_carriers,
        copies.n_ions,
    )


def _error(of_copies: FloatArray) -> FloatArray:
    error: FloatArray = of_copies.std(axis=0, ddof=1) / np.sqrt(len(of_copies))
    return error


class _Moments:
    """Products of displacements, averaged over windows, for each copy: (copies, 3, 3)."""

    def __init__(self) -> None:
        self._collective: list[FloatArray] = []
        self._tracer: list[FloatArray] = []

    def add(self, before: tuple[FloatArray, FloatArray], after: tuple[FloatArray, FloatArray]) -> None:
        total, each = after[0] - before[0], after[1] - before[1]
        self._collective.append(np.einsum("ra,rb->rab", total, total))
        self._tracer.append(np.einsum("ria,rib->rab", each, each) / each.shape[1])

    def collective(self) -> FloatArray:
        return np.asarray(np.mean(self._collective, axis=0), dtype=float)

    def tracer(self) -> FloatArray:
        return np.asarray(np.mean(self._tracer, axis=0), dtype=float)


class _HopTable:
    """For each site of the supercell its hops: targets, rates and steps; unused places have rate 0."""

    def __init__(self, rates: Rates, multiples: Sequence[int]) -> None:
        repeats = np.array(multiples, dtype=np.int64)
        n_cell = len(rates.occupancy)
        self.n_sites = n_cell * int(repeats.prod())
        self.occupancy = np.tile(rates.occupancy, int(repeats.prod()))
        counts = np.bincount(rates.first, minlength=n_cell)
        self.n_hops = int(counts.max())
        cells = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 3)
        self.targets = np.zeros((self.n_sites, self.n_hops), dtype=np.int64)
        self.rates = np.zeros((self.n_sites, self.n_hops))
        self.steps = np.zeros((self.n_sites, self.n_hops, 3))
        self.targets[:] = np.arange(self.n_sites)[:, None]
        filled = np.zeros(n_cell, dtype=np.int64)
        for first, second, rate, step, vector in zip(
            rates.first, rates.second, rates.rates_Hz, rates.steps_A, rates.vectors, strict=True
        ):
            goal = (cells + vector) % repeats
            number = (goal[:, 0] * repeats[1] + goal[:, 1]) * repeats[2] + goal[:, 2]
            sites = np.arange(len(cells)) * n_cell + first
            place = filled[first]
            self.targets[sites, place] = number * n_cell + second
            self.rates[sites, place], self.steps[sites, place] = rate, step
            filled[first] += 1


class _Copies:
    """The state of all copies."""

    def __init__(self, table: _HopTable, settings: KmcSettings, carriers_are_vacancies: bool) -> None:
        self._table, self._tracks_others = table, carriers_are_vacancies
        self._random = np.random.default_rng(settings.seed)
        shape = (settings.n_copies, table.n_sites)
        # The equilibrium of exclusive sites at this number of carriers, but for order one over their number, by
        # weighted sampling; the first window forgets the rest.
        keys = np.log(np.maximum(table.occupancy, 1e-300)) + self._random.gumbel(size=shape)
        self._carriers = np.argsort(-keys, axis=1)[:, : settings.n_carriers].astype(np.int64)
        self._is_held = np.zeros(shape, dtype=bool)
        np.put_along_axis(self._is_held, self._carriers, True, axis=1)
        self.n_ions = table.n_sites - settings.n_carriers if carriers_are_vacancies else settings.n_carriers
        self._ion_at = np.full(shape, -1, dtype=np.int64)
        if carriers_are_vacancies:
            order = np.argsort(self._is_held, axis=1, kind="stable")[:, : self.n_ions]
            np.put_along_axis(self._ion_at, order, np.arange(self.n_ions)[None, :], axis=1)
        self._total = np.zeros((settings.n_copies, 3))
        self._each = np.zeros((settings.n_copies, self.n_ions, 3))
        self._time_s = np.zeros(settings.n_copies)
        self._until_s = 0.0
        self.n_events = 0

    def snapshot(self) -> tuple[FloatArray, FloatArray]:
        """Return the sum of all displacements, (copies, 3), and those of the tracers, (copies, ions, 3)."""
        return self._total.copy(), self._each.copy()

    def advance(self, window_s: float) -> None:
        """Let all copies run for one more window."""
        self._until_s += window_s
        rows = np.arange(len(self._time_s))
        for _ in range(MAX_EVENTS_PER_WINDOW * self._carriers.shape[1]):
            if not len(rows):
                return
            rows = self._one_event(rows)
        raise ValueError("carriers hop back and forth far faster than they diffuse: lower hops_per_window")

    def _one_event(self, rows: IntArray) -> IntArray:
        """Let each of the copies make one hop, if it is still in the window; return those that did."""
        carriers = self._carriers[rows]
        targets = self._table.targets[carriers]
        blocked = self._is_held[rows[:, None, None], targets]
        cumulative = np.where(blocked, 0.0, self._table.rates[carriers]).reshape(len(rows), -1).cumsum(axis=1)
        sums = cumulative[:, -1]
        with np.errstate(divide="ignore"):
            waiting = self._random.exponential(size=len(rows)) / sums
        # The exponential law has no memory: what would end after the window is drawn anew in the next one.
        happens = self._time_s[rows] + waiting <= self._until_s
        self._time_s[rows[~happens]] = self._until_s
        rows, cumulative, waiting = rows[happens], cumulative[happens], waiting[happens]
        self._time_s[rows] += waiting
        drawn = self._random.random(len(rows)) * cumulative[:, -1] if len(rows) else np.zeros(0)
        chosen = (cumulative <= drawn[:, None]).sum(axis=1)
        self._hop(rows, *np.divmod(chosen, self._table.n_hops))
        return rows

    def _hop(self, rows: IntArray, which: IntArray, hop: IntArray) -> None:
        sites = self._carriers[rows, which]
        targets, steps = self._table.targets[sites, hop], self._table.steps[sites, hop]
        self._carriers[rows, which] = targets
        self._is_held[rows, sites], self._is_held[rows, targets] = False, True
        self._total[rows] += steps
        if self._tracks_others:
            ions = self._ion_at[rows, targets]
            self._ion_at[rows, sites], self._ion_at[rows, targets] = ions, -1
            self._each[rows, ions] -= steps
        else:
            self._each[rows, which] += steps
        self.n_events += len(rows)
