"""The same members of an ensemble at two levels of theory: which cells were chosen cancels from their difference.

Two pooled values err by their choice of members. Where both levels have the same members, what is left of that choice
is how differently the members deviate at the two levels, which is a spread of its own (a paired comparison).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.comparison.ratios import Difference, Ratio
from aiida_ion.analysis.diffusion.result import interval95
from aiida_ion.analysis.disorder.spread import Sampling, between_draws

FloatArray = npt.NDArray[np.float64]
N_DRAWS = 4000


@dataclass(frozen=True)
class MemberPart:
    """A pooled quantity at one level, in a unit in which errors add: an energy, or a logarithm.

    :param within: draws with the errors of the members alone, (n,).
    :param deviations: of each member from the mean, (K,).
    :param variances: squared errors of the members, (K,).
    """

    within: FloatArray
    deviations: FloatArray
    variances: FloatArray


def paired_difference(level: MemberPart, reference: MemberPart, sampling: Sampling, seed: int = 1) -> Difference:
    """Return the difference of two levels on the same members, with its interval.

    :param level: in the order of the members of the reference.
    :param sampling: how the members stand for the crystal.
    """
    generator = np.random.default_rng([seed, 29])
    own = generator.choice(level.within, N_DRAWS) - generator.choice(reference.within, N_DRAWS)
    deviations = (level.deviations - reference.deviations)[:, None]
    variances = (level.variances + reference.variances)[:, None]
    between = between_draws(sampling, deviations, variances, N_DRAWS, generator)[:, 0]
    return Difference(float(level.within.mean() - reference.within.mean()), interval95(own + between))


def paired_ratio(level: MemberPart, reference: MemberPart, sampling: Sampling, seed: int = 1) -> Ratio:
    """Return the ratio of two levels on the same members.

    :param level: of the decimal logarithm, in the order of the members of the reference.
    """
    difference = paired_difference(level, reference, sampling, seed)
    assert difference.value is not None and difference.ci95 is not None
    edges = (10 ** difference.ci95[0], 10 ** difference.ci95[1])
    return Ratio(10**difference.value, edges, difference.value, difference.ci95)
