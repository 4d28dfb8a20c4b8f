"""The posterior of (activation energy, prefactor) on a grid that finds its own place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]

N_GRID = 301
N_REFINEMENTS = 4
#: Log-probability below the maximum at which the grid is cut, and the coarse cut that keeps narrow peaks.
CUT = 18.0


@dataclass(frozen=True)
class Priors:
    """Priors of the fit, stored with its result.

    :param min_activation_energy_eV: the activation energy is uniform from here
    :param max_activation_energy_eV: to here, eV.
    :param min_log10_prefactor_cm2_s: log10 of the prefactor is uniform from here
    :param max_log10_prefactor_cm2_s: to here, cm^2/s.
    :param bound_log10_prefactor_mean: used only for a bound: log10 D0 is normal about this, cm^2/s,
    :param bound_log10_prefactor_std: with this standard deviation.
    """

    min_activation_energy_eV: float = 0.0
    max_activation_energy_eV: float = 3.0
    min_log10_prefactor_cm2_s: float = -8.0
    max_log10_prefactor_cm2_s: float = 4.0
    bound_log10_prefactor_mean: float = -3.2
    bound_log10_prefactor_std: float = 0.7

    def __post_init__(self) -> None:
        if not self.min_activation_energy_eV < self.max_activation_energy_eV:
            raise ValueError("the prior of the activation energy is empty")
        if not self.min_log10_prefactor_cm2_s < self.max_log10_prefactor_cm2_s:
            raise ValueError("the prior of the prefactor is empty")
        if not self.bound_log10_prefactor_std > 0:
            raise ValueError("bound_log10_prefactor_std must be positive")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping."""
        return asdict(self)


class Observations(NamedTuple):
    """ln D with its standard deviation at 1/(k_B T), 1/eV, and bounds of ln D; each shape (n,)."""

    inverse_kT: FloatArray
    ln_d: FloatArray
    std: FloatArray
    bound_inverse_kT: FloatArray
    ln_bound: FloatArray


def sample_posterior(data: Observations, priors: Priors, seed: int, n_samples: int) -> tuple[FloatArray, FloatArray]:
    """Draw activation energies, eV, and log10 prefactors, cm^2/s, each (n_samples,).

    The grid spans the activation energy and ln D at the mean inverse temperature, which are nearly
    independent; this shear of (Ea, ln D0) has unit Jacobian, so priors uniform in one are uniform in the
    other. It is refined around the posterior.
    """
    centre = float(data.inverse_kT.mean())
    energies = np.linspace(priors.min_activation_energy_eV, priors.max_activation_energy_eV, N_GRID)
    middles = np.linspace(data.ln_d.min() - 10.0, data.ln_d.max() + 10.0, N_GRID)
    for _ in range(N_REFINEMENTS):
        log_p = _log_posterior(data, priors, centre, energies, middles)
        energies, middles = _refine(energies, log_p.max(axis=1)), _refine(middles, log_p.max(axis=0))
    log_p = _log_posterior(data, priors, centre, energies, middles)
    weights = np.exp(log_p - log_p.max())
    generator = np.random.default_rng(seed)
    chosen = generator.choice(weights.size, n_samples, p=(weights / weights.sum()).ravel())
    rows, columns = np.unravel_index(chosen, weights.shape)
    energy = energies[rows] + (generator.random(n_samples) - 0.5) * (energies[1] - energies[0])
    energy = np.clip(energy, priors.min_activation_energy_eV, priors.max_activation_energy_eV)
    middle = middles[columns] + (generator.random(n_samples) - 0.5) * (middles[1] - middles[0])
    return energy, (middle + energy * centre) / np.log(10.0)


def _log_posterior(
    data: Observations, priors: Priors, centre: float, energies: FloatArray, middles: FloatArray
) -> FloatArray:
    """Log posterior, up to a constant, over energies (rows) and ln D at the centre (columns)."""
    energy, middle = energies[:, None], middles[None, :]
    log10_d0 = (middle + energy * centre) / np.log(10.0)
    log_p = np.where(
        (log10_d0 >= priors.min_log10_prefactor_cm2_s) & (log10_d0 <= priors.max_log10_prefactor_cm2_s),
        0.0,
        -np.inf,
    )
    for inverse_kT, ln_d, std in zip(data.inverse_kT, data.ln_d, data.std, strict=True):
        log_p = log_p - 0.5 * ((ln_d - middle + energy * (inverse_kT - centre)) / std) ** 2
    spread = float(np.median(data.std))
    for inverse_kT, ln_bound in zip(data.bound_inverse_kT, data.ln_bound, strict=True):
        excess = (ln_bound - middle + energy * (inverse_kT - centre)) / spread
        log_p = log_p + special.log_ndtr(excess)
    if not np.isfinite(log_p.max()):
        raise ValueError("the priors of activation energy and prefactor exclude these diffusivities")
    return log_p


def _refine(grid: FloatArray, profile: FloatArray) -> FloatArray:
    """A grid over the part whose profile is within the cut of the maximum, one point wider on each side."""
    inside = np.flatnonzero(profile >= profile.max() - CUT)
    low, high = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(grid) - 1)
    return np.linspace(grid[low], grid[high], len(grid))
