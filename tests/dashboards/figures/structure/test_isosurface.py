"""Surfaces come out where the map says, in cells of any shape, and meet their images at the faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.dashboards.figures.structure.isosurface import (
    MOST_POINTS,
    density_figure,
    drawn_grid,
    map_figure,
    surface,
)
from aiida_ion.dashboards.figures.theme import DARK, LIGHT

ORTHOGONAL = np.diag([6.0, 7.0, 8.0])
TRICLINIC = np.array([[6.0, 0.4, -0.3], [-2.1, 6.2, 0.6], [1.4, -1.7, 7.5]])
#: Standard deviation of the wells, angstrom, and the radius at which they have half their depth.
WIDTH_A = 0.9
HALF_A = WIDTH_A * np.sqrt(2.0 * np.log(2.0))


def well(place: Any, cell: Any, shape: tuple[int, int, int], origin: Any = (0, 0, 0)) -> Any:
    """Return 1 but for a Gaussian well of depth 1 at a fractional place, eV."""
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1) + origin
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    apart = points - place
    images = ((apart - np.round(apart))[..., None, :] + shifts) @ cell
    return 1.0 - np.exp(-((images**2).sum(axis=-1).min(axis=-1)) / (2 * WIDTH_A**2))


def from_place(vertices: Any, place: Any, cell: Any) -> Any:
    """Return the distance of vertices to the nearest image of a fractional place, angstrom."""
    shifts = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    apart = vertices @ np.linalg.inv(cell) - place
    return np.linalg.norm(((apart - np.round(apart))[:, None] + shifts) @ cell, axis=-1).min(axis=1)


@pytest.mark.parametrize("cell", [ORTHOGONAL, TRICLINIC])
@pytest.mark.parametrize("place", [[0.5, 0.45, 0.55], [0.97, 0.5, 0.02], [0.0, 0.0, 0.0]])
def test_a_well_is_a_sphere_where_it_is(cell: Any, place: Any) -> None:
    vertices, triangles = surface(well(place, cell, (30, 32, 36)), cell, 0.5)
    np.testing.assert_allclose(from_place(vertices, place, cell), HALF_A, atol=0.04)
    corners = vertices[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert areas.sum() == pytest.approx(4 * np.pi * HALF_A**2, rel=0.03)  # whole, also in parts at all faces
    inside = vertices @ np.linalg.inv(cell)
    assert inside.min() > -1e-9 and inside.max() < 1 + 1e-9
    for axis in range(3):
        low, high = (vertices[np.abs(inside[:, axis] - end) < 1e-9] for end in (0.0, 1.0))
        assert len(low) == len(high)
        if len(low):
            gaps = np.linalg.norm(low[:, None] + cell[axis] - high[None], axis=-1)
            assert max(gaps.min(axis=0).max(), gaps.min(axis=1).max()) < 1e-6  # images close at the faces
    assert (min(place) == 0.5) or len(low) or place[2] == 0.55


def test_a_map_that_begins_elsewhere_is_drawn_from_the_corner_and_no_finer_than_it_can_be() -> None:
    place, origin = [0.3, 0.8, 0.6], [0.11, 0.0, 0.27]
    values = drawn_grid(well(place, TRICLINIC, (42, 42, 50), origin), TRICLINIC, origin)
    assert max(values.shape) == MOST_POINTS
    vertices, _ = surface(values, TRICLINIC, 0.5)
    np.testing.assert_allclose(from_place(vertices, place, TRICLINIC), HALF_A, atol=0.06)
    whole = well(place, TRICLINIC, (20, 20, 24))
    assert drawn_grid(whole, TRICLINIC, (0.0, 0.0, 0.0)) is whole


def test_nothing_below_the_level_has_no_surface() -> None:
    for level in (-1.0, 2.0):
        vertices, triangles = surface(well([0.5] * 3, TRICLINIC, (8, 8, 8)), TRICLINIC, level)
        assert len(vertices) == len(triangles) == 0


def test_a_map_is_drawn_with_its_framework_and_what_is_closed_stays_outside() -> None:
    energies = well([0.5, 0.45, 0.55], TRICLINIC, (20, 20, 24))
    energies[:6] = np.inf
    figure = map_figure(energies, TRICLINIC, 0.5, np.zeros((1, 3)), ["O"], theme=LIGHT)
    (mesh,) = [trace for trace in figure.data if trace.type == "mesh3d"]
    vertices = np.stack([mesh.x, mesh.y, mesh.z], axis=-1)
    assert (vertices @ np.linalg.inv(TRICLINIC))[:, 0].min() > 0.25
    assert mesh.name == "0.50 eV above the lowest" and mesh.showlegend
    assert {trace.name for trace in figure.data} >= {"cell", "O"}
    paths = np.zeros((3, 1, 3)) + np.linspace(0, 1, 3)[:, None, None]
    both = map_figure(energies, TRICLINIC, 0.5, np.zeros((1, 3)), ["O"], theme=DARK, paths_A=paths, mobile_species="Li")
    assert "pathway of Li" in {trace.name for trace in both.data}
    for given, words in ((energies, "below"), (energies[0], "no three dimensions")):
        empty = map_figure(given, TRICLINIC, -1.0, np.zeros((1, 3)), ["O"], theme=LIGHT)
        assert words in empty.layout.annotations[0].text


def test_a_density_is_drawn_around_what_is_dense() -> None:
    density = 0.08 * (1.0 - well([0.25, 0.5, 0.5], TRICLINIC, (20, 20, 24)))
    figure = density_figure(density, TRICLINIC, 0.04, np.zeros((1, 3)), ["S"], "Li", theme=DARK)
    (mesh,) = [trace for trace in figure.data if trace.type == "mesh3d"]
    vertices = np.stack([mesh.x, mesh.y, mesh.z], axis=-1)
    np.testing.assert_allclose(from_place(vertices, [0.25, 0.5, 0.5], TRICLINIC), HALF_A, atol=0.08)
    assert mesh.name == "0.04 Li per Å³"
    for level in (0.0, 1.0):
        empty = density_figure(density, TRICLINIC, level, np.zeros((1, 3)), ["S"], "Li", theme=LIGHT)
        assert "nowhere" in empty.layout.annotations[0].text
