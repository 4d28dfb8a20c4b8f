"""Lines through ln D against inverse temperature: posterior, evidence and draws by quadrature.

Given ln D at a pivot, the energy has a Gaussian likelihood times that of the bounds. So the posterior of a line is a
grid over ln D at the pivot, with a grid over the energy for each, wide enough for both factors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.units import BOLTZMANN_EV_K

FloatArray = npt.NDArray[np.float64]

N_MIDDLES = 81
N_ENERGIES = 65
N_REFINEMENTS = 3
#: The grid is cut at this log-probability below the maximum; the coarse cut keeps narrow peaks.
CUT = 18.0
#: Half width of the grid of energies, in standard deviations of the Gaussian part.
N_STD = 10.0
#: The grid of ln D extends this far beyond the diffusivities.
MARGIN = 6.0
#: Hops needed for a diffusivity, and the mean number of hops for which 95 % of runs show at least as many.
HOPS_TO_MEASURE = 10
MEAN_AT_BOUND = 0.5 * float(stats.chi2.ppf(0.95, 2 * HOPS_TO_MEASURE))
#: Largest excess of ln D over its bound in the likelihood: anything above is impossible anyway.
MAX_EXCESS = 30.0


class Observations(NamedTuple):
    """ln D (D in cm^2/s) with its standard deviation, and bounds of ln D, at temperatures, K; each shape (n,)."""

    temperature_K: FloatArray
    ln_d: FloatArray
    std: FloatArray
    bound_temperature_K: FloatArray
    ln_bound: FloatArray

    def select(self, moved: npt.NDArray[np.bool_], bounds: npt.NDArray[np.bool_]) -> Observations:
        """Select some of the diffusive temperatures and some of the bounds."""
        return Observations(
            self.temperature_K[moved],
            self.ln_d[moved],
            self.std[moved],
            self.bound_temperature_K[bounds],
            self.ln_bound[bounds],
        )


class Branch(NamedTuple):
    """A line ln D = middle - energy (x - pivot): x (1/eV) of values and bounds, and the values; each shape (n,)."""

    x: FloatArray
    ln_d: FloatArray
    std: FloatArray
    bound_x: FloatArray
    ln_bound: FloatArray
    pivot: float


class EnergyGrid(NamedTuple):
    """Energies, eV, and the log of likelihood times step, each (n_middles, n_energies).

    The profile is the log likelihood of each middle with the energy integrated out, (n_middles,).
    """

    energies: FloatArray
    log_weight: FloatArray
    profile: FloatArray


class LinePosterior(NamedTuple):
    """Posterior of a line: middles (n,), the energies for each, and the log of the evidence."""

    middles: FloatArray
    grid: EnergyGrid
    pivot: float
    log_evidence: float

    def draws(self, n_samples: int, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw energies, eV, and ln of the prefactor (cm^2/s), each (n_samples,)."""
        rows = draw_middles(self.grid.profile, n_samples, generator)
        energies = draw_energies(self.grid, rows, generator)
        middles = self.middles[rows] + (generator.random(n_samples) - 0.5) * (self.middles[1] - self.middles[0])
        return energies, middles + energies * self.pivot

    def moments(self, x: float) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of (energy, ln D at an inverse temperature), each (2,).

        :param x: 1/eV.
        """
        weights = np.exp(self.grid.log_weight - self.grid.log_weight.max())
        weights /= weights.sum()
        ln_d = self.middles[:, None] - self.grid.energies * (x - self.pivot)
        means = np.array([np.sum(weights * values) for values in (self.grid.energies, ln_d)])
        squares = np.array([np.sum(weights * values**2) for values in (self.grid.energies, ln_d)])
        return means, np.sqrt(np.maximum(squares - means**2, 0.0))


def make_branch(data: Observations, pivot: float, zero_K: float = 0.0) -> Branch:
    """Return the line over 1 / (k_B (T - T_0)), without bounds at or below T_0, which hold anyway since D vanishes."""
    held = data.bound_temperature_K > zero_K
    return Branch(
        inverse(data.temperature_K, zero_K),
        data.ln_d,
        data.std,
        inverse(data.bound_temperature_K[held], zero_K),
        data.ln_bound[held],
        pivot,
    )


def inverse(temperature_K: FloatArray, zero_K: float = 0.0) -> FloatArray:
    """Return 1 / (k_B (T - T_0)), 1/eV."""
    values: FloatArray = 1.0 / (BOLTZMANN_EV_K * (temperature_K - zero_K))
    return values


def weighted_centre(data: Observations, zero_K: float = 0.0) -> float:
    """Return the inverse temperature, 1/eV, at which ln D is known independently of the energy."""
    return float(np.average(inverse(data.temperature_K, zero_K), weights=data.std**-2))


def fit_line(branch: Branch, priors: Priors) -> LinePosterior:
    """Return the posterior of a line; its log evidence is minus infinity if the priors exclude it."""
    low, high = first_middles(branch.ln_d)
    for _ in range(N_REFINEMENTS + 1):
        middles = np.linspace(low, high, N_MIDDLES)
        grid = energy_grid(branch, middles, priors)
        low, high = refined(middles, grid.profile)
    volume = prior_volume(priors)
    step = np.log(middles[1] - middles[0])
    return LinePosterior(middles, grid, branch.pivot, float(log_sum(grid.profile)) + step - volume)


def straight_line(data: Observations, priors: Priors) -> LinePosterior:
    """Return the posterior of the Arrhenius law.

    :raises ValueError: if the priors exclude the data.
    """
    line = fit_line(make_branch(data, weighted_centre(data)), priors)
    if np.isneginf(line.log_evidence):
        raise ValueError("the priors of activation energy and prefactor exclude these diffusivities")
    return line


def prior_volume(priors: Priors) -> float:
    """Return the log of the prior's volume over energy, eV, and ln of the prefactor."""
    width = priors.max_log10_prefactor_cm2_s - priors.min_log10_prefactor_cm2_s
    energies = priors.max_activation_energy_eV - priors.min_activation_energy_eV
    return float(np.log(width * np.log(10.0) * energies))


def first_middles(ln_d: FloatArray) -> tuple[float, float]:
    """Return an initial grid of ln D at a pivot."""
    return float(ln_d.min()) - MARGIN, float(ln_d.max()) + MARGIN


def energy_grid(branch: Branch, middles: FloatArray, priors: Priors, bind_prefactor: bool = True) -> EnergyGrid:
    """Return, for each middle, the energies that the priors allow and the data do not exclude.

    The Gaussian part is normalised, so that the evidence of two branches covers all their points.

    :param bind_prefactor: whether the prefactor, middle + energy times pivot, must lie within its prior.
    """
    lowest, highest = _allowed(middles, branch.pivot, priors, bind_prefactor)
    x = branch.x - branch.pivot
    weights = branch.std**-2
    precision = float(np.sum(weights * x**2))
    offsets = branch.ln_d - middles[:, None]
    width = N_STD / np.sqrt(precision) if precision > 0 else np.inf
    centre = -(offsets * weights * x).sum(axis=1) / precision if precision > 0 else np.zeros(len(middles))
    low = np.maximum(lowest, np.minimum(centre, highest) - width)
    high = np.minimum(highest, np.maximum(centre, lowest) + width)
    empty = high <= low
    low, high = np.where(empty, 0.0, low), np.where(empty, 1.0, high)
    energies = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, N_ENERGIES)
    ends = np.ones(N_ENERGIES)
    ends[[0, -1]] = 0.5
    log_p = np.log(ends) + np.log((high - low) / (N_ENERGIES - 1))[:, None]
    log_p = log_p - float(np.sum(np.log(branch.std * np.sqrt(2.0 * np.pi))))
    for at, offset, weight in zip(x, offsets.T, weights, strict=True):
        log_p -= 0.5 * weight * (offset[:, None] + energies * at) ** 2
    for at, ln_bound in zip(branch.bound_x - branch.pivot, branch.ln_bound, strict=True):
        log_p += log_below(middles[:, None] - energies * at, ln_bound)
    log_p[empty] = -np.inf
    return EnergyGrid(energies, log_p, log_sum(log_p))


def log_sum(log_p: FloatArray) -> FloatArray:
    """Return the log of the sum of exponentials over the last axis; five times faster here than SciPy's."""
    largest = np.max(log_p, axis=-1, keepdims=True)
    largest = np.where(np.isneginf(largest), 0.0, largest)
    with np.errstate(divide="ignore"):
        values: FloatArray = np.log(np.sum(np.exp(log_p - largest), axis=-1)) + largest[..., 0]
    return values


def log_below(ln_d: FloatArray, ln_bound: float) -> FloatArray:
    """Return the log of the probability that a run detects no diffusion, given D.

    Ten hops are needed, so this is the probability of nine or fewer in a Poisson process whose mean is proportional to
    D and set so that the probability is 5 % at the bound.
    """
    mean = MEAN_AT_BOUND * np.exp(np.minimum(ln_d - ln_bound, MAX_EXCESS))
    total = np.ones_like(mean)
    for n in range(HOPS_TO_MEASURE - 1, 0, -1):
        total = 1.0 + mean / n * total
    values: FloatArray = np.log(total) - mean
    return values


def refined(grid: FloatArray, profile: FloatArray) -> tuple[float, float]:
    """Return the part whose profile is within the cut of the maximum, one point wider on each side."""
    inside = np.flatnonzero(profile >= profile.max() - CUT)
    return float(grid[max(int(inside[0]) - 1, 0)]), float(grid[min(int(inside[-1]) + 1, len(grid) - 1)])


def draw_middles(profile: FloatArray, n_samples: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw rows of a grid by their probability, (n_samples,)."""
    weights = np.exp(profile - profile.max())
    rows: npt.NDArray[np.int64] = generator.choice(len(profile), n_samples, p=weights / weights.sum())
    return rows


def draw_energies(grid: EnergyGrid, rows: npt.NDArray[np.int64], generator: np.random.Generator) -> FloatArray:
    """Draw an energy for each of some rows, eV, (n,)."""
    log_weight = grid.log_weight[rows]
    cumulative = np.cumsum(np.exp(log_weight - log_weight.max(axis=1, keepdims=True)), axis=1)
    chosen = (cumulative < (generator.random(len(rows)) * cumulative[:, -1])[:, None]).sum(axis=1)
    steps = grid.energies[rows, 1] - grid.energies[rows, 0]
    jittered = grid.energies[rows, chosen] + (generator.random(len(rows)) - 0.5) * steps
    clipped: FloatArray = np.clip(jittered, grid.energies[rows, 0], grid.energies[rows, -1])
    return clipped


def _allowed(middles: FloatArray, pivot: float, priors: Priors, bind_prefactor: bool) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest energy for each middle, eV."""
    lowest = np.full(len(middles), priors.min_activation_energy_eV)
    highest = np.full(len(middles), priors.max_activation_energy_eV)
    if bind_prefactor:
        lowest = np.maximum(lowest, (priors.min_log10_prefactor_cm2_s * np.log(10.0) - middles) / pivot)
        highest = np.minimum(highest, (priors.max_log10_prefactor_cm2_s * np.log(10.0) - middles) / pivot)
    return lowest, highest
