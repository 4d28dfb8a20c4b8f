"""The power of the concentration that a conductivity grows with."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.defects.measured import Measured
from aiida_ion.analysis.defects.points import conductivity_points
from aiida_ion.analysis.defects.power_law import ConductivityPoint, PowerLaw, fit_power_law


def point(x: float, sigma: float | None, error: float = 0.05, bound: float | None = None) -> ConductivityPoint:
    return ConductivityPoint(x, None if sigma is None else 1e-6, sigma, None if sigma is None else error, bound, 1)


def law_of(exponent: float, rng: np.random.Generator, n: int = 4, error: float = 0.1) -> PowerLaw:
    x = np.geomspace(0.01, 0.1, n)
    noisy = 3.0 * x**exponent * np.exp(error * rng.standard_normal(n))
    return fit_power_law([point(*pair, error) for pair in zip(x.tolist(), noisy.tolist(), strict=True)])


def test_an_exact_power_and_its_perfect_crystal() -> None:
    points = [point(0.0, 0.5, 0.1), *(point(x, 0.5 + 40.0 * x**1.0) for x in (0.01, 0.02, 0.05))]
    law = fit_power_law(points)
    assert law.exponent == pytest.approx(1.0)
    assert law.p_value == pytest.approx(1.0) and law.attributes()["is_power"] is True
    assert [step["exponent"] for step in law.steps] == pytest.approx([1.0, 1.0])
    assert law.largest_at == 0.05
    # What the perfect crystal conducts is not the carriers': with it the power would be smaller.
    assert fit_power_law(points[1:]).exponent == pytest.approx(0.639, abs=0.001)


@pytest.mark.parametrize("exponent", [1.0, 0.6, -0.3])
def test_intervals_hold_the_power(exponent: float) -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        ends = law_of(exponent, rng).exponent_ci95
        assert ends is not None
        held += ends[0] <= exponent <= ends[1]
    assert 0.93 <= held / 400 <= 0.995


def test_a_conductivity_that_falls_again_is_no_single_power() -> None:
    law = fit_power_law([point(0.01, 1.0), point(0.02, 2.0), point(0.04, 3.0), point(0.08, 1.5)])
    assert law.p_value is not None and law.p_value < 1e-6
    assert law.attributes()["is_power"] is False
    assert law.largest_at == 0.04
    assert [step["exponent"] for step in law.steps] == pytest.approx([1.0, 0.585, -1.0], abs=0.001)


def test_bounds_are_left_out_and_said() -> None:
    law = fit_power_law([point(0.0, None, bound=0.1), point(0.01, None, bound=0.2), point(0.02, 2.0)])
    assert law.exponent is None and law.largest_at == 0.02
    assert law.remarks == ("0.01 is left out of the power: no diffusion was detected",)
    assert fit_power_law([]).exponent is None
    below = fit_power_law([point(0.0, 3.0), point(0.01, 2.0), point(0.02, 4.0), point(0.04, 5.0)])
    assert below.remarks == ("0.01 is left out of the power: it is not above the perfect one",)


def test_cells_of_a_concentration_become_one_point() -> None:
    cells = [
        Measured(0.0, None, upper_bound_cm2_s=2e-9, number_density_A3=0.08),
        Measured(0.02, 1.5e-6, 1e-7, weight=0.5, number_density_A3=0.07),
        Measured(0.02, 0.5e-6, 1e-7, weight=0.5, number_density_A3=0.07),
        Measured(0.01, None, None, 4e-9, 0.25, 0.075),
        Measured(0.01, None, None, 8e-9, 0.75, 0.075),
    ]
    perfect, few, more = conductivity_points(cells, 800.0, 1.0)
    # sigma = N e^2 D / (V k T), here with e^2 / k = 1.8594 e-15 C^2 K / J, to S/m and then mS/cm.
    factor = (1.602176634e-19) ** 2 / (1.380649e-23 * 800.0) * 1e30 * 1e-4 * 10.0
    assert more.conductivity_mS_cm == pytest.approx(0.07 * 1e-6 * factor)
    assert more.relative_error == pytest.approx(0.5, abs=0.01) and more.n_cells == 2
    assert few.conductivity_mS_cm is None and few.upper_bound_mS_cm == pytest.approx(0.075 * 7e-9 * factor)
    assert perfect.upper_bound_mS_cm == pytest.approx(0.08 * 2e-9 * factor)
    ends = more.ci95_mS_cm
    assert ends is not None and ends[0] < 0.07 * 1e-6 * factor < ends[1]
    assert perfect.ci95_mS_cm is None
