"""The figures of the compare page: their data, not their looks."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.dashboards.figures.error_per_material import MAX_MATERIALS, error_figure, height_px, material_order
from aiida_ion.dashboards.figures.force_parity import MAX_POINTS, force_parity_figure
from aiida_ion.dashboards.figures.pareto import pareto_figure
from aiida_ion.dashboards.figures.parity import LARGEST, parity_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, Theme, formula_label, level_styles
from aiida_ion.dashboards.pairs import pairs, sides
from aiida_ion.dashboards.quantities import QUANTITIES
from tests.dashboards.rows import bound_row, conductivity_row, table

SIGMA = QUANTITIES["conductivity"]
STYLES = level_styles(["PBE", "MLIP"])
HOSTILE = "<a href='https://example.org'>Li3N</a>"


def trace(figure, name):
    (result,) = (one for one in figure.data if one.name == name)
    return result


def made(*rows, quantity=SIGMA):
    result = sides(table(*rows), quantity)
    return pairs(*(result[result["level_of_theory"] == level] for level in ("PBE", "MLIP")), quantity)


FOUND = made(
    conductivity_row("A", "PBE", 1.0),
    conductivity_row("A", "MLIP", 10.0, n_temperatures_moved=6),
    conductivity_row("B", "PBE", 2.0),
    bound_row("B", "MLIP", 0.01),
    bound_row("C", "PBE", 0.1),
    conductivity_row("C", "MLIP", 3.0, n_temperatures_moved=None),
)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_parity_shows_values_bounds_intervals_and_sizes(theme: Theme) -> None:
    figure = parity_figure(FOUND, SIGMA, "PBE", STYLES, theme=theme, chosen="A-MLIP")
    points = trace(figure, "MLIP")
    assert list(points.x) == [1.0, 2.0, 0.1]
    assert list(points.y) == [10.0, 0.01, 3.0]
    assert list(points.marker.symbol) == [STYLES["MLIP"].symbol, "arrow-down", "arrow-left"]
    assert points.marker.size[0] > points.marker.size[2]
    assert max(points.marker.size) <= LARGEST
    assert (points.error_y.array[0], points.error_y.arrayminus[0]) == (10.0, 5.0)
    assert points.error_x.array[0] == 1.0
    assert np.isnan(points.error_y.array[1])
    assert points.customdata.tolist()[0] == ["A-MLIP", "A-PBE"]
    columns = points.meta["columns"]
    assert (columns["is_bound"], columns["x_is_bound"]) == ([False, True, False], [False, False, True])
    assert columns["refused"] == [False] * 3
    ring = trace(figure, "chosen")
    assert (list(ring.x), list(ring.y)) == ([1.0], [10.0])


def test_the_band_is_one_decade_to_either_side_of_the_diagonal_and_the_axes_are_alike() -> None:
    figure = parity_figure(FOUND, SIGMA, "PBE", STYLES, theme=LIGHT)
    band = trace(figure, "± one decade")
    ratio = np.log10(np.array(band.y) / np.array(band.x))
    assert ratio == pytest.approx([1.0, 1.0, -1.0, -1.0])
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    low, high = figure.layout.xaxis.range
    assert low < -2.0 and high > 1.0
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_an_activation_energy_has_linear_axes_and_a_band_of_its_own() -> None:
    energy = QUANTITIES["activation_energy"]
    result = made(
        conductivity_row("A", "PBE", 1.0),
        conductivity_row("A", "MLIP", 1.0, activation_energy_eV=0.4),
        quantity=energy,
    )
    figure = parity_figure(result, energy, "PBE", STYLES, theme=LIGHT)
    band = trace(figure, "± 0.1 eV")
    assert np.array(band.y) - np.array(band.x) == pytest.approx([0.1, 0.1, -0.1, -0.1])
    assert figure.layout.xaxis.type is None


def test_values_at_the_edge_of_what_a_float_holds_are_drawn() -> None:
    result = made(conductivity_row("A", "PBE", 1e-307), conductivity_row("A", "MLIP", 1e300))
    figure = parity_figure(result, SIGMA, "PBE", STYLES, theme=LIGHT)
    assert np.isfinite([*figure.layout.xaxis.range, *trace(figure, "± one decade").y]).all()


def test_text_of_nodes_is_escaped_everywhere() -> None:
    styles = level_styles(["PBE", HOSTILE])
    rows = [
        conductivity_row(HOSTILE, level, 1.0, uuid=str(i), grade=HOSTILE) for i, level in enumerate(("PBE", HOSTILE))
    ]
    result = sides(table(*rows), SIGMA)
    both = pairs(result[result["level_of_theory"] == "PBE"], result[result["level_of_theory"] == HOSTILE], SIGMA)
    for figure in (
        parity_figure(both, SIGMA, HOSTILE, styles, theme=LIGHT),
        error_figure(both, SIGMA, HOSTILE, styles, theme=LIGHT),
        force_parity_figure(forces(4), [HOSTILE], HOSTILE, HOSTILE, theme=LIGHT),
    ):
        assert "<a " not in figure.to_json().replace("\\u003c", "<")


def test_errors_are_sorted_and_bounds_point_to_where_the_truth_may_be() -> None:
    figure = error_figure(FOUND, SIGMA, "PBE", STYLES, theme=LIGHT)
    points = trace(figure, "MLIP")
    assert list(points.y) == ["A", "B", "C"]
    assert list(points.x) == pytest.approx([1.0, np.log10(0.005), np.log10(30.0)])
    assert list(points.marker.symbol) == [STYLES["MLIP"].symbol, "arrow-left", "arrow-right"]
    assert material_order(FOUND) == ["C", "A", "B"]
    assert list(figure.layout.yaxis.categoryarray) == ["B", "A", "C"]


def test_of_many_materials_those_farthest_off_are_shown() -> None:
    n = MAX_MATERIALS + 20
    rows = [conductivity_row(f"M{i}", "PBE", 1.0) for i in range(n)]
    rows += [conductivity_row(f"M{i}", "MLIP", 10.0 ** (0.01 * i)) for i in range(n)]
    result = made(*rows)
    order = material_order(result)
    assert len(order) == MAX_MATERIALS
    assert order[0] == formula_label(f"M{n - 1}") and formula_label("M0") not in order
    assert len(trace(error_figure(result, SIGMA, "PBE", STYLES, theme=LIGHT), "MLIP").x) == MAX_MATERIALS
    assert height_px(result) > height_px(FOUND)


def forces(n: int, error: float = 0.1):
    reference = np.linspace(-2.0, 2.0, n)
    kinds = np.arange(n) % 2
    return {
        "parity_reference_forces_eV_A": reference,
        "parity_forces_eV_A": reference + error * (1 + kinds),
        "parity_elements": kinds.astype(np.int16),
    }


def test_forces_are_drawn_by_element_with_the_error_of_all_pairs() -> None:
    figure = force_parity_figure(forces(3 * MAX_POINTS), ["Li", "O"], "MLIP", "PBE", theme=LIGHT)
    lithium, oxygen = trace(figure, "Li, MAE 0.100 eV/Å"), trace(figure, "O, MAE 0.200 eV/Å")
    assert np.array(lithium.y) - np.array(lithium.x) == pytest.approx(0.1)
    assert np.array(oxygen.y) - np.array(oxygen.x) == pytest.approx(0.2)
    assert len(lithium.x) + len(oxygen.x) <= MAX_POINTS
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_forces_that_are_not_there_or_not_finite_are_no_points() -> None:
    missing = force_parity_figure({}, ["Li"], "MLIP", "PBE", theme=LIGHT)
    assert not missing.data and "no forces" in missing.layout.annotations[0].text
    uneven = forces(4) | {"parity_elements": np.zeros(3)}
    assert not force_parity_figure(uneven, ["Li"], "MLIP", "PBE", theme=LIGHT).data
    broken = forces(4)
    broken["parity_forces_eV_A"][0] = np.nan
    assert len(trace(force_parity_figure(broken, ["Li", "O"], "MLIP", "PBE", theme=LIGHT), "Li, MAE 0.100 eV/Å").x) == 1


def test_the_front_joins_the_levels_that_nobody_beats() -> None:
    levels = table(
        {"level_of_theory": "A", "cost": 1.0, "error": 0.3, "n_materials": 2, "is_reference": False, "on_front": True},
        {"level_of_theory": "B", "cost": 2.0, "error": 0.4, "n_materials": 2, "is_reference": False, "on_front": False},
        {"level_of_theory": "C", "cost": 90.0, "error": 0.0, "n_materials": 0, "is_reference": True, "on_front": True},
    )
    points = table({"formula": "Li3N", "level_of_theory": "A", "cost": 1.1, "error": 0.2, "uuid": "u"})
    figure = pareto_figure(points, levels, "cost", "error", level_styles("ABC"), theme=LIGHT)
    front = trace(figure, "front: none is better in both")
    assert (list(front.x), list(front.y)) == ([1.0, 90.0], [0.3, 0.0])
    assert list(trace(figure, "C (reference)").x) == [90.0]
    assert trace(figure, "A, each material").customdata.tolist() == [["u"]]


def test_figures_without_data_say_so() -> None:
    empty = FOUND.iloc[:0]
    assert "No material" in parity_figure(empty, SIGMA, "PBE", STYLES, theme=LIGHT).layout.annotations[0].text
    assert "No material" in error_figure(empty, SIGMA, "PBE", STYLES, theme=LIGHT).layout.annotations[0].text
    nothing = table({"level_of_theory": "A", "cost": 1.0, "error": 0.0, "uuid": "", "formula": ""}).iloc[:0]
    assert "No level" in pareto_figure(nothing, nothing, "", "", {}, theme=LIGHT).layout.annotations[0].text


def test_what_is_poorly_known_stretches_no_axis() -> None:
    wide = {"ionic_conductivity_ci95_low_mS_cm": 1e-9, "ionic_conductivity_ci95_high_mS_cm": 1e9}
    rows = (conductivity_row("D", "PBE", 1.0), conductivity_row("D", "MLIP", 1e8, verdict="poorly_known", **wide))
    both = made(conductivity_row("A", "PBE", 1.0), conductivity_row("A", "MLIP", 10.0), *rows)
    low, high = parity_figure(both, SIGMA, "PBE", STYLES, theme=LIGHT).layout.xaxis.range
    assert high - low < 5.0
    assert "1e+08" not in trace(parity_figure(both, SIGMA, "PBE", STYLES, theme=LIGHT), "MLIP").text[1]


def test_crystals_of_one_formula_have_a_line_each() -> None:
    rows = [
        conductivity_row("A", level, value, structure_uuid=crystal, uuid=f"{crystal}-{level}")
        for level in ("PBE", "MLIP")
        for crystal, value in (("cubic", 1.0 if level == "PBE" else 100.0), ("layered", 1.0))
    ]
    both = made(*rows)
    assert both["same_structure"].all()
    named = both.assign(material=[f"A ({crystal})" for crystal in both["y_crystal"]])
    assert material_order(named) == ["A (cubic)", "A (layered)"]
