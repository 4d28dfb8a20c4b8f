"""The small steps between jobs."""

from __future__ import annotations

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.dft.kpoints import gamma_point, is_gamma, mesh_node, mesh_of_part
from aiida_ion.calculations.functions import make_supercell, sum_costs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_costs_of_costs_add_up() -> None:
    job = {
        "wall_time_s": 2.0,
        "cpu_time_s": 1.5,
        "n_steps": 10,
        "peak_memory_MiB": 100.0,
        "hardware": "EPYC",
        "threads": 1,
    }
    one = sum_costs(a=orm.Dict(job), b=orm.Dict(job | {"peak_memory_MiB": 300.0, "hardware": "Xeon"}))
    two = sum_costs(a=one, b=orm.Dict(job)).get_dict()
    assert (two["n_jobs"], two["wall_time_s"], two["n_steps"]) == (3, 6.0, 30)
    assert two["peak_memory_MiB"] == 300.0
    assert two["steps_per_s"] == 5.0
    assert two["hardware"] == ["EPYC", "Xeon"]
    assert two["threads"] == ["1"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_supercells_are_wide_enough_or_as_asked(lithium_nitride: orm.StructureData) -> None:
    by_face = make_supercell(lithium_nitride, orm.Dict({"min_width_A": 10.0, "supercell_rule": "perpendicular"}))
    by_edge = make_supercell(lithium_nitride, orm.Dict({"min_width_A": 10.0, "supercell_rule": "edge"}))
    asked = make_supercell(lithium_nitride, orm.Dict({"multiples": [1, 2, 3]}))
    # A hexagonal cell is narrower than its edges are long: the benchmark paper's cell has 27 units, the wide one 48.
    assert [len(cell.sites) for cell in (by_face, by_edge, asked)] == [192, 108, 24]
    assert np.array(asked.cell) == pytest.approx(np.array(lithium_nitride.cell) * [[1], [2], [3]])


@pytest.mark.usefixtures("aiida_profile")
def test_a_cell_has_the_k_points_of_its_supercell() -> None:
    gamma = gamma_point()
    assert mesh_of_part(gamma, [2, 3, 1]).get_kpoints_mesh() == ([2, 3, 1], [0.0, 0.0, 0.0])
    assert mesh_of_part(gamma, [1, 1, 1]) is gamma
    points = orm.KpointsData()
    points.set_kpoints([[0.0, 0.0, 0.0], [0.25, 0.0, 0.0]])
    assert mesh_of_part(points, [2, 2, 2]) is points
    with pytest.raises(ValueError, match="mesh of three whole numbers"):
        mesh_node([2, 2])
    assert not is_gamma(mesh_node([2, 2, 2]))
    assert is_gamma(gamma)
