"""The same members at two levels: their common spread cancels, what differs between levels does not."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.comparison.paired import MemberPart, paired_difference, paired_ratio
from aiida_ion.analysis.disorder.spread import sampling_of

N_MEMBERS = 6


def part(generator: np.random.Generator, means: np.ndarray, error: float) -> MemberPart:
    """Return what a level says of members with these true values, measured with an error."""
    measured = means + generator.normal(scale=error, size=len(means))
    own = error / np.sqrt(len(means))
    within = measured.mean() + generator.normal(scale=own, size=500)
    return MemberPart(within, measured - measured.mean(), np.full(len(means), error**2))


@pytest.mark.parametrize(("common", "differing"), [(0.5, 0.0), (0.5, 0.1), (0.0, 0.2)])
def test_intervals_of_matched_members_hold_the_true_difference(common: float, differing: float) -> None:
    generator = np.random.default_rng(3)
    sampling = sampling_of([1.0] * N_MEMBERS, [None] * N_MEMBERS)
    held, widths = 0, []
    for number in range(300):
        shared = generator.normal(scale=common, size=N_MEMBERS)
        sides = [part(generator, shared + generator.normal(scale=differing, size=N_MEMBERS), 0.03) for _ in range(2)]
        low, high = paired_difference(*sides, sampling, seed=number).ci95 or (np.nan, np.nan)
        held += bool(low <= 0.0 <= high)
        widths.append(high - low)
    assert 0.90 <= held / 300 <= 0.985
    # The spread that both levels share, 0.5, would make it 0.8 wide and more.
    assert np.median(widths) < 4.0 * 2.6 * np.hypot(np.sqrt(2.0) * differing, 0.045) / np.sqrt(N_MEMBERS)


def test_a_ratio_is_that_of_the_logarithms() -> None:
    generator = np.random.default_rng(1)
    sampling = sampling_of([1.0] * N_MEMBERS, [None] * N_MEMBERS)
    level, reference = (part(generator, np.full(N_MEMBERS, mean), 0.01) for mean in (1.0, 0.0))
    ratio = paired_ratio(level, reference, sampling)
    assert ratio.ratio == pytest.approx(10.0, rel=0.05)
    assert ratio.ci95 is not None and ratio.ci95[0] < ratio.ratio < ratio.ci95[1]
