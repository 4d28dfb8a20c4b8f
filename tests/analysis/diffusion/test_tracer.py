import numpy as np
import pytest

from aiida_ion.analysis.diffusion.block_averages import Blocks
from aiida_ion.analysis.diffusion.correlations import Moments
from aiida_ion.analysis.diffusion.tracer import TracerFit

#: Second and fourth moments of Gaussian displacements with a variance of 1 angstrom^2 in each direction.
SECOND = np.eye(3)
FOURTH = np.einsum("ac,bd->abcd", SECOND, SECOND) + np.einsum("ad,bc->abcd", SECOND, SECOND)


def a_fit(spread=1.0, inflation=1.0, freedom=12.0):
    moments = Moments(SECOND, FOURTH * spread, inflation, inflation, freedom)
    return TracerFit((), 1e-6, 0.01, moments, moments)


def test_scatter_of_blocks_enters_the_inflation():
    blocks = Blocks(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.full(5, 0.05), "replicas")
    scatter = (np.var([1.0, 2.0, 3.0, 4.0, 5.0], ddof=1) / 9.0) / 0.05
    fit = a_fit()
    assert fit.inflation(None) == pytest.approx((1.0, 12.0))
    assert fit.inflation(blocks) == pytest.approx(((12.0 * 1.0 + 4.0 * scatter) / 16.0, 16.0))
    assert fit.relative_variance(fit.inflation(blocks)) > fit.relative_variance(fit.inflation(None))


def test_scatter_of_blocks_includes_the_spread_of_hops():
    """Displacements that spread twice as much as Gaussian ones already explain a scatter of two."""
    blocks = Blocks(np.array([0.9, 1.1]), np.full(2, 0.01), "replicas")
    assert blocks.inflation.factor == pytest.approx(2.0)
    assert a_fit(spread=2.0).inflation(blocks).factor == pytest.approx(1.0)
