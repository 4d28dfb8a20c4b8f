import numpy as np
import pytest

from aiida_ion.analysis.crystals.cell import image_room_A, perpendicular_widths, reduction, supercell_multiples
from benchmarks.walkers import SHEARED
from tests.analysis.synthetic import TRICLINIC

SKEWED = np.array([[4.0, 0.0, 0.0], [3.9, 2.0, 0.0], [0.0, 0.0, 12.0]])


def test_widths_of_a_skewed_cell():
    np.testing.assert_allclose(perpendicular_widths(np.diag([3.0, 4.0, 5.0])), [3.0, 4.0, 5.0])
    widths = perpendicular_widths(SKEWED)
    np.testing.assert_allclose(widths, [4.0 * 2.0 / np.hypot(3.9, 2.0), 2.0, 12.0])


@pytest.mark.parametrize("cell", [np.eye(3) * 5.13, SKEWED, TRICLINIC / 4.0])
def test_every_width_is_enough_and_none_is_wasted(cell):
    multiples = np.array(supercell_multiples(cell, 10.0))
    widths = perpendicular_widths(cell * multiples[:, None])
    assert (widths >= 10.0 - 1e-4).all()
    assert (widths - widths / multiples < 10.0).all()


def test_edge_rule_of_the_benchmark_paper():
    assert supercell_multiples(SKEWED, 10.0, rule="edge") == (3, 3, 1)
    assert supercell_multiples(SKEWED, 10.0) == (6, 5, 1)


def test_exact_fit_is_not_doubled():
    assert supercell_multiples(np.eye(3) * (10.0 / 3.0), 10.0) == (3, 3, 3)


@pytest.mark.parametrize(
    ("cell", "width", "rule", "message"),
    [
        (np.zeros((3, 3)), 10.0, "perpendicular", "no volume"),
        (np.eye(3), 0.0, "perpendicular", "min_width_A"),
        (np.eye(3), 10.0, "volume", "rule must be one of"),
    ],
)
def test_impossible_supercells(cell, width, rule, message):
    with pytest.raises(ValueError, match=message):
        supercell_multiples(cell, width, rule)


def test_a_sheared_cell_has_the_room_of_its_lattice():
    """Its faces are 2.4 angstrom apart, the shortest vectors of its lattice far longer."""
    assert perpendicular_widths(SHEARED).min() < 2.5
    assert image_room_A(SHEARED) > 5.0
    assert abs(round(np.linalg.det(reduction(SHEARED)))) == 1
    assert image_room_A(np.eye(3) * 12.0) == pytest.approx(6.0)
