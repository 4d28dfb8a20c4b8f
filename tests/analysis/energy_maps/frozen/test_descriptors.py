"""Published descriptors of maps whose descriptors are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from aiida_ion.analysis.energy_maps.frozen.descriptors import NEAR_EV, IonMap, published_descriptors, xi
from aiida_ion.analysis.energy_maps.frozen.map_plan import Operations

CUBE = 4.0 * np.eye(3)
HEIGHTS = (0.10, 0.25, 0.40)
N = 16


def cosines(heights: tuple[float, float, float] = HEIGHTS, n: int = N) -> np.ndarray:
    """Return a map with its minimum at the origin and barriers of twice the heights along each vector."""
    axis = 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return 2.0 * (heights[0] * x + heights[1] * y + heights[2] * z)


def reached(energies: np.ndarray, threshold_eV: float) -> float:
    """Return the fraction of the box around the origin that is connected to it below a threshold."""
    around = [np.arange(-n, n + 1) % n for n in energies.shape]
    labels, _ = ndimage.label(energies[np.ix_(*around)] < threshold_eV, np.ones((3, 3, 3)))
    inside = labels == labels[energies.shape]
    for axis in range(3):  # equivalent points of opposite faces are one
        faces = np.moveaxis(inside, axis, 0)
        faces[0] |= faces[-1]
    return float(inside[:-1, :-1, :-1].mean())


def ion(energies: np.ndarray, site: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> IonMap:
    return IonMap(energies, np.array(site), Operations())


def test_of_cosines() -> None:
    """The face along x is reached at 0.2 eV."""
    energies = cosines()
    found = published_descriptors([ion(energies)], CUBE)
    assert found["mpe"] == pytest.approx(0.2)
    fraction = np.mean([(energies < 0.5 + delta).mean() for delta in NEAR_EV])
    for name in ("fv_0p5_disconnected", "fv_0p5_disconnected_union"):
        assert found[name] == pytest.approx(fraction)
    connected = np.mean([reached(energies, 0.5 + delta) for delta in NEAR_EV])
    assert 0.0 < connected < fraction  # the barrier along z is higher, so that only half of the box is reached
    assert found["fv_0p5_connected"] == pytest.approx(connected)
    assert found["fv_0p5_connected_rel"] == pytest.approx(connected / 64.0)
    assert found["cell_volume"] == pytest.approx(64.0)
    assert found["fv_1p5_WARNlowPES"] is False and found["fv_2p0_WARNlowPES"] is True
    assert found["Xi"] == pytest.approx(xi(connected, fraction))
    # The face along x is that of the next minimum; what is behind the barriers along y and z is above those.
    around = np.arange(-N, N + 1)
    face = np.maximum(0.2, cosines()[0][np.ix_(around % N, around % N)])
    behind_y, behind_z = np.meshgrid(abs(around) > N // 2, abs(around) > N // 2, indexing="ij")
    face = np.maximum(face, np.where(behind_z, 0.8, np.where(behind_y, 0.5, 0.0)))
    assert found["mpe_robust_0p05"] == pytest.approx(np.quantile(face, 0.05))


def test_it_does_not_matter_where_the_map_begins() -> None:
    first = published_descriptors([ion(cosines())], CUBE)
    rolled = np.roll(cosines(), (3, 7, 11), axis=(0, 1, 2))
    again = published_descriptors([ion(rolled)], CUBE)
    assert again == pytest.approx(first)


def test_what_is_low_but_not_reached_is_not_connected() -> None:
    energies = np.full((N, N, N), 5.0)
    energies[:2, :2, :2] = 0.0
    energies[0, 0, 0] = -0.01
    energies[8:10, 8:10, 8:10] = 0.0
    found = published_descriptors([ion(energies)], CUBE)
    volume = 8 / N**3
    assert found["fv_0p5_disconnected"] == pytest.approx(2 * volume)
    # The box holds the part around its middle, and none of the others.
    assert found["fv_0p5_connected"] == pytest.approx(volume / 8)
    assert found["mpe"] == pytest.approx(5.01)


def test_points_without_an_energy_have_the_highest_one() -> None:
    energies = cosines()
    energies[8, :, :] = np.inf
    found = published_descriptors([ion(energies)], CUBE)
    highest = energies[np.isfinite(energies)].max()
    assert found["mpe"] == pytest.approx(0.5)  # not along x any more
    assert found["fv_4p0_disconnected"] == 1.0 and highest < 4.0
    assert found["fv_2p0_WARNlowPES"] is True and found["fv_1p0_WARNlowPES"] is False


def test_masks_leave_out_what_is_near() -> None:
    energies = cosines()
    found = published_descriptors([ion(energies)], CUBE)
    step = 4.0 / N
    offsets = step * np.arange(-N, N)
    x, y, z = np.meshgrid(offsets, offsets, offsets, indexing="ij")
    tiled = np.tile(energies, (2, 2, 2))
    far = np.sqrt(x**2 + y**2 + z**2) >= 1.5
    expected = np.mean([(tiled[far] < 0.5 + delta).mean() for delta in NEAR_EV])
    assert found["masked1p5_fv_0p5_disconnected"] == pytest.approx(expected)
    nearest = [np.abs((values + 2.0) % 4.0 - 2.0) for values in (x, y, z)]
    far = np.sqrt(sum(values**2 for values in nearest)) >= 1.5
    expected = np.mean([(tiled[far] < 0.5 + delta).mean() for delta in NEAR_EV])
    assert found["Wmasked1p5_fv_0p5_disconnected"] == pytest.approx(expected)
    union = np.mean([((tiled < 0.5 + delta) & far).mean() for delta in NEAR_EV])
    assert found["Wmasked1p5_fv_0p5_disconnected_union"] == pytest.approx(union)


def test_two_ions_add_up_and_their_regions_are_joined() -> None:
    """Two ions half a cell apart see the same map, shifted; an operation carries one to the other."""
    energies = cosines((0.6, 0.6, 0.6))
    shift = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
    both = Operations(np.tile(np.eye(3, dtype=np.int64), (2, 1, 1)), shift)
    found = published_descriptors([IonMap(energies, np.zeros(3), both)], CUBE)
    alone = published_descriptors([ion(energies)], CUBE)
    assert found["fv_0p5_disconnected"] == pytest.approx(2 * alone["fv_0p5_disconnected"])
    shifted = np.roll(energies, (N // 2,) * 3, axis=(0, 1, 2))
    union = np.mean([((energies < 0.5 + delta) | (shifted < 0.5 + delta)).mean() for delta in NEAR_EV])
    assert found["fv_0p5_disconnected_union"] == pytest.approx(union)
    assert union < found["fv_0p5_disconnected"] or union == pytest.approx(found["fv_0p5_disconnected"])
    as_two = published_descriptors([ion(energies), ion(energies, (0.5, 0.5, 0.5))], CUBE)
    assert as_two == pytest.approx(found)


def test_xi_is_half_at_its_thresholds() -> None:
    assert xi(0.01, 1.0) == pytest.approx(0.5, abs=1e-4)
    assert xi(1.0, 10**-1.15) == pytest.approx(0.5, abs=1e-4)
    assert xi(0.0, 0.0) == 0.0
