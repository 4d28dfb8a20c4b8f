"""Robustness of the extrapolation: how far it reaches, and the influence of each temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.arrhenius.posterior import LinePosterior, Observations, inverse, straight_line
from aiida_ion.analysis.arrhenius.priors import Priors

#: Number of temperatures that must remain for a fit.
MIN_LEFT = 2
#: A temperature gets a warning when leaving it out shifts the result by more decades than this,
MAX_SHIFT_DECADES = 1.0
#: or by more standard deviations of the shift expected from noise.
MAX_SURPRISE = 3.0
#: An extrapolation is far if it multiplies relative errors by more than this, in decades.
FAR_LEVERAGE = 2.0


@dataclass(frozen=True)
class LeftOut:
    """The fit without one temperature.

    :param temperature_K: the temperature left out, K.
    :param bound: whether it is an upper bound.
    :param activation_energy_eV: mean without it, eV.
    :param log10_diffusivity_cm2_s: mean of log10 D at the target without it, cm^2/s.
    :param shift_decades: log10 D at the target with the temperature minus that without it.
    :param shift_std: the same, divided by the standard deviation of the result.
    :param surprise: the same, divided by the shift expected from noise, sqrt(var without - var with); ``None`` for a
        bound.
    """

    temperature_K: float
    bound: bool
    activation_energy_eV: float
    log10_diffusivity_cm2_s: float
    shift_decades: float
    shift_std: float
    surprise: float | None

    @property
    def is_influential(self) -> bool:
        """Whether the result depends too much on this temperature."""
        return abs(self.shift_decades) > MAX_SHIFT_DECADES or abs(self.surprise or 0.0) > MAX_SURPRISE


def leave_one_out(
    data: Observations, priors: Priors, target_temperature_K: float, whole: LinePosterior
) -> list[LeftOut]:
    """Fit a line without each temperature in turn, where enough temperatures remain."""
    x = float(inverse(np.array(target_temperature_K)))
    (_, ln_d), (_, std) = whole.moments(x)
    influences = []
    n_moved, n_bounds = len(data.temperature_K), len(data.bound_temperature_K)
    for index, temperature in enumerate([*data.temperature_K, *data.bound_temperature_K]):
        keep = np.arange(n_moved + n_bounds) != index
        rest = data.select(keep[:n_moved], keep[n_moved:])
        if len(np.unique(rest.temperature_K)) < MIN_LEFT:
            continue
        line = straight_line(rest, priors)
        (energy, without), (_, std_without) = line.moments(x)
        shift = float(ln_d - without)
        is_bound = index >= n_moved
        noise = float(np.sqrt(max(std_without**2 - std**2, 0.0)))
        influences.append(
            LeftOut(
                temperature_K=float(temperature),
                bound=is_bound,
                activation_energy_eV=float(energy),
                log10_diffusivity_cm2_s=float(without / np.log(10.0)),
                shift_decades=shift / np.log(10.0),
                shift_std=shift / float(std),
                surprise=None if is_bound or noise == 0.0 else shift / noise,
            )
        )
    return influences


def extrapolation_leverage(temperatures_K: Sequence[float], target_temperature_K: float) -> float:
    """Return the standard deviation of log10 D at the target per relative error of D at each temperature.

    For a straight line through points of equal error: sqrt(1/n + (x* - <x>)^2 / sum (x - <x>)^2) / ln 10 with
    x = 1/T; 3.05 for 800, 900, ... 1200 K and a target of 300 K.

    :param temperatures_K: at least two different ones.
    """
    x: npt.NDArray[np.float64] = 1.0 / np.asarray(temperatures_K, dtype=float)
    distance = 1.0 / target_temperature_K - x.mean()
    return float(np.sqrt(1.0 / len(x) + distance**2 / np.sum((x - x.mean()) ** 2)) / np.log(10.0))


def distance_sentence(factor: float, leverage: float, target_temperature_K: float) -> str | None:
    """Return a sentence on an extrapolation that is far, ``None`` when it is not."""
    if leverage <= FAR_LEVERAGE or factor <= 1.0:
        return None
    return (
        f"The lowest diffusive temperature is {factor:.1f} times {target_temperature_K:g} K: an error of 10 % at each "
        f"temperature becomes {leverage / 10.0:.1g} decades at the target."
    )
