"""All levels of a map are in the figure, and the slider shows one of them at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.dashboards.figures.structure import levels
from aiida_ion.dashboards.figures.structure.levels import Level, add_levels
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, new_figure
from tests.dashboards.figures.structure.test_isosurface import TRICLINIC, from_place, well

PLACE = [0.25, 0.5, 0.5]


def named(*values: float) -> list[Level]:
    return [Level(value, f"surface {value}", f"at {value}") for value in values]


def meshes(figure: Any) -> list[Any]:
    return [trace for trace in figure.data if trace.type == "mesh3d"]


def test_each_level_has_its_surface_and_one_is_seen() -> None:
    figure = new_figure(LIGHT, "", "").add_scatter3d(x=[0], y=[0], z=[0])
    add_levels(figure, well(PLACE, TRICLINIC, (20, 20, 24)), TRICLINIC, named(0.2, 0.5, 0.8), 1, theme=LIGHT)
    for mesh, depth in zip(meshes(figure), (0.8, 0.5, 0.2), strict=True):
        vertices = np.stack([mesh.x, mesh.y, mesh.z], axis=-1)
        radius = 0.9 * np.sqrt(-2.0 * np.log(depth))
        np.testing.assert_allclose(from_place(vertices, PLACE, TRICLINIC), radius, atol=0.09)
        assert mesh.i.max() < len(vertices) and mesh.i.dtype == np.uint16
    assert [mesh.visible for mesh in meshes(figure)] == [False, True, False]
    (slider,) = figure.layout.sliders
    assert slider.active == 1 and [step.label for step in slider.steps] == ["at 0.2", "at 0.5", "at 0.8"]
    shown, traces = slider.steps[2].args
    assert shown["visible"] == [False, False, True] and list(traces) == [1, 2, 3]


@pytest.mark.parametrize(("chosen", "seen"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_levels_without_a_surface_are_left_out(chosen: int, seen: int) -> None:
    figure = new_figure(DARK, "", "")
    add_levels(figure, well(PLACE, TRICLINIC, (12, 12, 14)), TRICLINIC, named(-1.0, 0.3, 0.6, 7.0), chosen, theme=DARK)
    assert [mesh.name for mesh in meshes(figure)] == ["surface 0.3", "surface 0.6"]
    assert [mesh.visible for mesh in meshes(figure)] == [number == seen for number in range(2)]
    nothing = add_levels(new_figure(DARK, "", ""), np.ones((4, 4, 4)), TRICLINIC, named(0.5), 0, theme=DARK)
    assert not nothing.data and not nothing.layout.sliders


def test_many_triangles_are_drawn_on_a_coarser_map(monkeypatch: pytest.MonkeyPatch) -> None:
    values = well(PLACE, TRICLINIC, (42, 42, 48))

    def triangles() -> int:
        figure = add_levels(new_figure(LIGHT, "", ""), values, TRICLINIC, named(0.4, 0.6), 0, theme=LIGHT)
        return sum(len(mesh.i) for mesh in meshes(figure))

    fine = triangles()
    monkeypatch.setattr(levels, "MOST_TRIANGLES", fine - 1)
    assert 0.3 * fine < triangles() < fine
    monkeypatch.setattr(levels, "MOST_TRIANGLES", 1)
    assert triangles() < 0.4 * fine
