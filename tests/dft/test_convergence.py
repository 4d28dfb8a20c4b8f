"""Single points against the highest setting: known differences come back, and the lowest that will do is named."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.dft.convergence import Point, lowest_within, scan_rows

RNG = np.random.default_rng(3)
FORCES = [RNG.normal(0.0, 0.5, (6, 3)) for _ in range(2)]


def setting(scale: float, energy_eV: float = -10.0, pressure_GPa: float | None = 1.0) -> dict[int, Point]:
    return {frame: Point(scale * forces, energy_eV, pressure_GPa, 4.0) for frame, forces in enumerate(FORCES)}


def test_differences_are_those_that_were_put_in() -> None:
    low, reference = scan_rows([setting(1.44, -9.94, -22.0), setting(1.0)])
    assert low["force_slope"] == pytest.approx(1.44)
    assert low["force_difference_percent"] == pytest.approx(44.0)
    rms = np.sqrt(np.mean(np.concatenate(FORCES) ** 2))
    assert low["force_rms_difference_eV_A"] == pytest.approx(0.44 * rms)
    largest = max(np.linalg.norm(forces, axis=1).max() for forces in FORCES)
    assert low["force_max_difference_eV_A"] == pytest.approx(0.44 * largest)
    assert low["energy_difference_meV_atom"] == pytest.approx(10.0)
    assert (low["pressure_GPa"], low["pressure_difference_GPa"]) == (pytest.approx(-22.0), pytest.approx(-23.0))
    assert (low["n_frames"], low["cpu_time_s"]) == (2, 4.0)
    assert (reference["force_difference_percent"], reference["force_slope"]) == (0.0, pytest.approx(1.0))


def test_only_frames_that_the_reference_has_are_compared() -> None:
    low, lost, reference = scan_rows([setting(1.1), {1: setting(3.0)[1]}, {0: setting(1.0)[0]}])
    assert (low["n_frames"], low["force_slope"]) == (1, pytest.approx(1.1))
    assert lost == {"n_frames": 0}
    assert reference["n_frames"] == 1


def test_a_stress_that_is_not_there_is_not_zero() -> None:
    low, _ = scan_rows([setting(1.1, pressure_GPa=None), setting(1.0)])
    assert low["pressure_GPa"] is None and low["pressure_difference_GPa"] is None


@pytest.mark.parametrize(
    ("percents", "expected"),
    [
        ((44.0, 5.0, 1.0, 0.0), 2),
        ((1.0, 5.0, 1.0, 0.0), 2),  # right by chance: the next is not
        ((1.0, 1.0, 1.0, 0.0), 0),
        ((44.0, 5.0, 3.0, 0.0), None),
        ((44.0, None, 1.0, 0.0), 2),
        ((0.0,), None),
        ((), None),
    ],
)
def test_the_lowest_from_which_on_all_are_within(percents: tuple[float | None, ...], expected: int | None) -> None:
    rows = [{"force_difference_percent": percent} for percent in percents]
    assert lowest_within(rows, 2.0) == expected
