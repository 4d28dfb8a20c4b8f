"""Kept maps on the pages: drawn in the cell of their crystal, at the energies where they percolate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.common.links import LinkType
from plotly.utils import PlotlyJSONEncoder

from aiida_ion import figures
from aiida_ion.analysis.energy_maps.kept_map import EnergyMap
from aiida_ion.analysis.energy_maps.percolation import percolate_grid
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.figures.theme import LIGHT
from aiida_ion.dashboards.maps import ABOVE_EV, LEVELS_EV, levels_of, map_of, map_view
from aiida_ion.dashboards.pages import screening
from aiida_ion.dashboards.pages.atoms import run_view
from aiida_ion.dashboards.pages.atoms.maps import drawn, maps_card
from aiida_ion.dashboards.state import View
from aiida_ion.queries.screening.maps import kept_maps, read_kept_map
from tests.queries.nodes import job

SMALL = np.array([[4.0, 0.2, 0.0], [-1.0, 4.2, 0.3], [0.4, -0.6, 5.0]])
MULTIPLES = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])


@pytest.fixture(autouse=True)
def fresh_tables(aiida_profile_clean: object) -> Iterator[None]:
    tables.use(tables.TableCache())
    yield
    tables.use(tables.TableCache())


def channel() -> EnergyMap:
    """Return a map with a channel along the third vector, at the corner of its cell, closed in the others."""
    x, y, _ = np.meshgrid(*[np.arange(n) / n for n in (16, 16, 20)], indexing="ij")
    energies = 2.0 - np.cos(2 * np.pi * x) - np.cos(2 * np.pi * y)
    energies += 0.1 * (1 - np.cos(2 * np.pi * np.arange(20) / 20)) / 2
    energies[8, 8] = np.inf
    return EnergyMap(energies, SMALL, np.zeros(3), np.array([[0.5, 0.5, 0.5]]) @ SMALL, ("O",))


def stored(cell: Any, **change: Any) -> tuple[orm.StructureData, orm.ArrayData]:
    """Store a map with the job and the crystal that it is of."""
    structure = orm.StructureData(cell=cell.tolist())
    structure.append_atom(position=(0.5 * SMALL.sum(axis=0)).tolist(), symbols="O")
    structure.append_atom(position=(0, 0, 0), symbols="Li")
    structure.store()
    process = job("ion.bvse")
    process.base.links.add_incoming(structure, LinkType.INPUT_CALC, "structures__m_0")
    process.store()
    one, node = channel(), orm.ArrayData()
    for name, array in one.arrays().items():
        node.set_array(name, array)
    about = {"method": "bvse", "mobile_species": "Li", "zero": "lowest", "structure_hash": "abc"}
    barriers = percolate_grid(one.energies_eV).barriers_eV
    node.base.attributes.set_many(one.about() | about | {"barriers_eV": barriers} | change)
    node.base.links.add_incoming(process, LinkType.CREATE, "maps__m_0")
    return structure, node.store()


def test_a_map_is_drawn_in_the_larger_cell_of_its_crystal() -> None:
    structure, node = stored(MULTIPLES @ SMALL)
    (row,) = kept_maps(structure.uuid).to_dict("records")
    assert row["uuid"] == node.uuid and row["barrier_1d_eV"] == pytest.approx(0.1)
    kept = read_kept_map(node.uuid)
    assert kept.in_crystal and len(kept.shown.host_A) == 2
    figure = map_of(node.uuid, 1, None, LIGHT)
    (mesh,) = [trace for trace in figure.data if trace.type == "mesh3d"]
    vertices = np.stack([mesh.x, mesh.y, mesh.z], axis=-1) @ np.linalg.inv(SMALL)
    away = np.abs(vertices[:, :2] - np.round(vertices[:, :2]))
    assert away.max() < 0.13  # around the channels: cos(2 pi x) + cos(2 pi y) is 1.89 or more there
    assert {(round(x), round(y)) for x, y in vertices[:, :2]} > {(0, 0), (0, 1)}  # both channels of the larger cell
    levelled = figures.stored_map(node.uuid, level_eV=0.5)
    assert any(trace.name == "0.50 eV above the lowest" for trace in levelled.data)


def test_a_map_has_a_surface_for_each_energy_of_its_slider() -> None:
    _, node = stored(MULTIPLES @ SMALL)
    figure, words = map_view(node.uuid, LIGHT)
    meshes = [trace for trace in figure.data if trace.type == "mesh3d"]
    (slider,) = figure.layout.sliders
    steps = [step.label for step in slider.steps]
    # 3-D percolation is at the same energy as 2-D, and plain energies beside those of percolation are left out.
    assert steps[0] == "0.10 eV: 1-D percolation" and steps[-1] == "2.00 eV: 2-D and 3-D percolation"
    assert steps[1:-1] == [f"{level:g} eV" for level in LEVELS_EV if level > 0.1]
    assert len(meshes) == len(steps) and [mesh.visible for mesh in meshes] == [True] + [False] * (len(meshes) - 1)
    alone = next(trace for trace in map_of(node.uuid, 1, None, LIGHT).data if trace.type == "mesh3d")
    np.testing.assert_array_equal(meshes[0].x, alone.x)
    sizes = [mesh.i.size for mesh in meshes]
    assert meshes[0].name == "0.11 eV above the lowest" and len(set(sizes)) == len(sizes)
    shown = slider.steps[2].args
    assert shown[0]["visible"] == [number == 2 for number in range(len(meshes))]
    assert [figure.data[index] for index in shown[1]] == meshes
    assert "at 0.10 eV in 1 dimension, 2.00 eV in 2 dimensions and 2.00 eV in 3 dimensions" in words
    assert "Zero: lowest" in words and f"{ABOVE_EV:g} eV higher" in words


def test_a_map_that_never_percolates_has_plain_energies() -> None:
    assert [level.words for level in levels_of([None, None, None])] == [f"{level:g} eV" for level in LEVELS_EV]
    assert [level.words for level in levels_of([0.304, None, None])][:3] == [
        "0.1 eV",
        "0.2 eV",
        "0.30 eV: 1-D percolation",
    ]


def test_the_pages_list_maps_and_say_what_cannot_be_drawn() -> None:
    assert maps_card("light") == []
    _, node = stored(MULTIPLES @ SMALL)
    _, other = stored(1.3 * SMALL, barriers_eV=[0.1, None, None])
    tables.use(tables.TableCache())
    words = json.dumps(screening.layout(View()), cls=PlotlyJSONEncoder, ensure_ascii=False)
    assert "Nothing has been screened yet." in words and "Energy maps" in words
    assert "Li₂O₂: bond valence map, PK" in words and "0.10 / - / - eV" in words
    figure, sentence = drawn(other.uuid, LIGHT)
    assert "Drawn in the cell of the map" in sentence and len(figure.data) > 2
    assert figure.layout.sliders[0].steps[0].label == "0.10 eV: 1-D percolation"
    with pytest.raises(ValueError, match="never reach through the crystal in 3 dimensions"):
        figures.stored_map(other.uuid, dimensions=3)
    view = run_view.drawn(node.uuid, node.uuid, LIGHT)
    assert "up to the energy of the slider" in view.words and view.figure.layout.sliders


def test_damaged_maps_leave_the_page_standing() -> None:
    damages: tuple[dict[str, Any], ...] = (
        {"cell_A": "<b>"},
        {"host_symbols": None},
        {"barriers_eV": "x", "mobile_species": None},
        {"zero": 3, "shape": None},
    )
    for change in damages:
        _, node = stored(SMALL, **change)
        figure, *_ = drawn(node.uuid, LIGHT)
        assert figure.layout.annotations or len(figure.data) > 2
    (card,) = maps_card("dark")
    assert "Energy maps" in json.dumps(card, cls=PlotlyJSONEncoder)
