"""What the choice of members of an ensemble does to an Arrhenius law that was fitted to their means.

A member that is fast is fast at every temperature: its deviation is no error that averages out over temperatures. So
the line is fitted with the errors of the members alone, and each member's deviations are carried through the fit, which
is linear in ln D: they shift energy and intercept together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.arrhenius.posterior import Observations, inverse, weighted_centre
from aiida_ion.analysis.disorder.spread import Sampling, Spread, between_draws, spread_of

FloatArray = npt.NDArray[np.float64]

#: Names of arrays: weights of members, draws of the energy and of log10 D at the target.
MEMBER_WEIGHTS = "member_weights"
ENERGY, TARGET = "activation_energy_samples_eV", "log10_diffusivity_samples_cm2_s"
#: Draws of the energy are kept within this of its value: two members have the tails of Cauchy's distribution.
LARGEST_EV = 5.0


@dataclass(frozen=True)
class MemberDeviations:
    """Of the members at one temperature.

    :param sampling: how they stand for the crystal; the same at all temperatures of a fit.
    :param deviations: of each from the mean, relative to it, (K,).
    :param variances: squared errors of the members, relative to the mean, (K,).
    """

    sampling: Sampling
    deviations: FloatArray
    variances: FloatArray


@dataclass(frozen=True)
class MembersOfLine:
    """Deviations of the members in energy (eV) and ln D at a pivot, each (K, 2), and their squared errors.

    :param pivot: inverse temperature, 1/eV, at which the straight line has independent energy and ln D.
    """

    sampling: Sampling
    pivot: float
    values: FloatArray
    variances: FloatArray

    def draws(self, n_draws: int, seed: int) -> tuple[FloatArray, FloatArray]:
        """Return draws of the errors of energy, eV, and of ln D at the pivot, each (n_draws,)."""
        generator = np.random.default_rng([seed, 17])
        drawn = between_draws(self.sampling, self.values, self.variances, n_draws, generator)
        return np.clip(drawn[:, 0], -LARGEST_EV, LARGEST_EV), drawn[:, 1]

    def at(self, temperature_K: float) -> Spread:
        """Return the spread of ln D on the line at a temperature."""
        values, variances = self.deviations_at(temperature_K)
        return spread_of(self.sampling, values[:, None], variances[:, None])

    def deviations_at(self, temperature_K: float) -> tuple[FloatArray, FloatArray]:
        """Return the deviations of the members in ln D on the line at a temperature, and their squared errors, (K,)."""
        step = float(inverse(np.array(temperature_K))) - self.pivot
        weights = np.array([-step, 1.0])
        # The errors of energy and of ln D at the pivot are independent.
        return self.values @ weights, self.variances @ weights**2

    def arrays(self, temperature_K: float, energies_eV: FloatArray, log10_d: FloatArray) -> dict[str, FloatArray]:
        """Return what a comparison with another level of theory on the same members needs, by name of the arrays.

        :param temperature_K: the target.
        :param energies_eV: draws of the energy with the errors of the members alone, (n,).
        :param log10_d: and of log10 D at the target, (n,).
        """
        deviations, variances = self.deviations_at(temperature_K)
        decade = np.log(10.0)
        return {
            MEMBER_WEIGHTS: self.sampling.weights,
            f"within_members_{ENERGY}": energies_eV,
            f"member_deviations_of_{ENERGY}": self.values[:, 0],
            f"member_variances_of_{ENERGY}": self.variances[:, 0],
            f"within_members_{TARGET}": log10_d,
            f"member_deviations_of_{TARGET}": deviations / decade,
            f"member_variances_of_{TARGET}": variances / decade**2,
        }


def members_of_line(members: Sequence[MemberDeviations], data: Observations) -> MembersOfLine:
    """Return the deviations of the members in energy and ln D at the pivot of the weighted straight line.

    :param members: at each diffusive temperature of the data.
    """
    x, weights = inverse(data.temperature_K), data.std**-2.0
    pivot = weighted_centre(data)
    slopes = -weights * (x - pivot) / float(np.sum(weights * (x - pivot) ** 2))
    parts = np.stack([slopes, weights / weights.sum()], axis=1)
    deviations = np.stack([one.deviations for one in members], axis=1)
    variances = np.stack([one.variances for one in members], axis=1)
    return MembersOfLine(members[0].sampling, pivot, deviations @ parts, variances @ parts**2)
