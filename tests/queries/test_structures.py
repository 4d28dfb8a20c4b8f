"""Stored cells as pages show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from ase.build import bulk, make_supercell

from aiida_ion.queries.structures import Cell, repetitions, stored_cells

EDGE_A = 5.6402
#: Of sodium chloride, g/cm^3, from its edge and the masses of Na and Cl.
DENSITY = 4 * (22.98976928 + 35.45) * 1.66053907 / EDGE_A**3


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_cell_has_its_lengths_angles_density_and_space_group() -> None:
    salt = orm.StructureData(ase=bulk("NaCl", "rocksalt", a=EDGE_A)).store()
    cube = orm.StructureData(ase=bulk("NaCl", "rocksalt", a=EDGE_A, cubic=True)).store()
    cells = stored_cells([salt.uuid, cube.uuid, None, "nothing"])
    assert set(cells) == {salt.uuid, cube.uuid}
    primitive, conventional = cells[salt.uuid], cells[cube.uuid]
    assert conventional.lengths_angstrom == pytest.approx((EDGE_A,) * 3)
    assert conventional.angles_degree == pytest.approx((90.0,) * 3)
    assert primitive.lengths_angstrom == pytest.approx((EDGE_A / np.sqrt(2),) * 3)
    assert primitive.angles_degree == pytest.approx((60.0,) * 3)
    assert (primitive.n_sites, conventional.n_sites) == (2, 8)
    for cell in cells.values():
        assert cell.density_g_cm3 == pytest.approx(DENSITY, rel=1e-4)
        assert (cell.space_group, cell.n_partial) == ("Fm-3m", 0)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_site_that_is_half_empty_weighs_half() -> None:
    node = orm.StructureData(cell=np.eye(3) * 4.0)
    node.append_atom(position=(0.0, 0.0, 0.0), symbols=["Li"], weights=[0.5], name="Li1")
    node.append_atom(position=(2.0, 2.0, 2.0), symbols=["Cl", "Br"], weights=[0.25, 0.75], name="X")
    cell = stored_cells([node.store().uuid])[node.uuid]
    mass_u = 0.5 * 6.941 + 0.25 * 35.453 + 0.75 * 79.904
    assert cell.density_g_cm3 == pytest.approx(mass_u * 1.66053907 / 64.0, rel=1e-3)
    assert cell.n_partial == 2


def test_a_supercell_is_a_number_of_cells_or_it_is_not() -> None:
    atoms = bulk("NaCl", "rocksalt", a=EDGE_A, cubic=True)

    def cell(vectors: Any) -> Cell:
        return Cell(np.array(vectors, dtype=float), 8, 0, None, None)

    unit = cell(atoms.cell)
    assert repetitions(unit, cell(atoms.repeat((2, 1, 3)).cell)) == (2, 1, 3)
    assert repetitions(unit, cell(atoms.cell * 1.001)) == (1, 1, 1)
    assert repetitions(unit, cell(atoms.cell * 1.1)) is None
    turned = make_supercell(atoms, [[1, 1, 0], [-1, 1, 0], [0, 0, 1]])
    assert repetitions(unit, cell(turned.cell)) is None
