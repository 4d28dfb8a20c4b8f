"""Figures of single runs, on their data: MSD, RDF, cell and graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards.figures.graph import graph_figure, label_of, main_path
from aiida_ion.dashboards.figures.layers import layered
from aiida_ion.dashboards.figures.msd import MsdCurve, msd_figure, temperature_colors, thinned
from aiida_ion.dashboards.figures.rdf import rdf_figure
from aiida_ion.dashboards.figures.structure.cell import broken_paths, cell_figure, folded
from aiida_ion.dashboards.figures.theme import DARK, LIGHT

LAGS = np.linspace(0.1, 10.0, 1000)
FITTED = np.linspace(2.0, 5.0, 20)
D = 1e-5


def curve(temperature_K: float, **change: Any) -> MsdCurve:
    msd = 0.4 + 6 * D * 1e4 * FITTED
    given: dict[str, Any] = {
        "uuid": f"fit {temperature_K:g}",
        "temperature_K": temperature_K,
        "all_lag_times_ps": LAGS,
        "all_msd_A2": 0.4 + 6 * D * 1e4 * LAGS,
        "lag_times_ps": FITTED,
        "msd_A2": msd,
        "msd_std_A2": 0.1 * msd,
        "fit_window_ps": (2.0, 5.0),
        "tracer_diffusivity_cm2_s": D,
    }
    return MsdCurve(**given | change)


def trace(figure: Any, name: str, mode: str) -> Any:
    return next(one for one in figure.data if one.name == name and one.mode == mode)


def test_the_fit_lies_on_the_points_it_was_made_of() -> None:
    figure = msd_figure([curve(900), curve(600)], theme=LIGHT)
    fit = trace(figure, "600 K, fitted window", "lines")
    assert (fit.x[0], fit.x[-1]) == (2.0, 5.0)
    np.testing.assert_allclose(fit.y, 0.4 + 6 * D * 1e4 * np.array(fit.x))
    points = trace(figure, "600 K", "markers")
    assert {row[0] for row in points.customdata} == {"fit 600"}
    band = trace(figure, "600 K, 95 % band", "lines")
    np.testing.assert_allclose(band.y[:20] - points.y, 1.96 * 0.1 * np.array(points.y), rtol=1e-3)
    assert figure.layout.xaxis.type == "log"
    assert [one.name for one in figure.data if one.showlegend is not False] == ["600 K", "900 K"]
    assert points.marker.symbol != trace(figure, "900 K", "markers").marker.symbol


def test_what_did_not_move_has_a_curve_and_no_fit() -> None:
    none = np.empty(0)
    still = curve(
        300, lag_times_ps=none, msd_A2=none, msd_std_A2=none, fit_window_ps=None, tracer_diffusivity_cm2_s=None
    )
    figure = msd_figure([still], theme=DARK, logarithmic=False)
    assert [one.mode for one in figure.data] == ["lines"]
    assert figure.data[0].showlegend is not False or len(figure.data) == 1
    assert figure.layout.xaxis.type is None
    assert "No mean squared" in msd_figure([], theme=LIGHT).layout.annotations[0].text
    refused = msd_figure([curve(300, refused=True)], theme=LIGHT)
    assert trace(refused, "300 K", "markers").marker.symbol.endswith("-open")
    assert trace(refused, "300 K", "lines").line.dash == "dash"


def test_long_curves_are_thinned_to_their_ends() -> None:
    x, y = thinned(np.arange(1.0, 1e5), np.arange(1.0, 1e5))
    assert len(x) <= 400
    assert (x[0], x[-1]) == (1.0, 99999.0)
    np.testing.assert_array_equal(x, y)
    colors = temperature_colors([900, 300, 600, 300], LIGHT)
    assert list(colors) == [300, 600, 900]
    assert len(set(colors.values())) == 3


def test_the_framework_is_shown_early_and_late() -> None:
    r = np.linspace(0, 5, 50)
    figure = rdf_figure(r, np.ones(50), np.zeros(50), theme=LIGHT)
    assert [one.line.dash for one in figure.data] == [None, "dash"]
    np.testing.assert_array_equal(figure.data[1].y, np.zeros(50))
    assert "missing" in rdf_figure(None, None, None, theme=LIGHT).layout.annotations[0].text


def test_paths_are_folded_and_broken_at_the_walls() -> None:
    cell = np.diag([4.0, 5.0, 6.0])
    way = np.array([[[3.5, 1, 1]], [[3.9, 1, 1]], [[4.3, 1, 1]], [[4.6, 1, 1]]])
    broken = broken_paths(way, cell)
    assert np.isnan(broken).all(axis=1).tolist() == [False, False, True, False, False, True]
    np.testing.assert_allclose(broken[:, 0][[0, 1, 3, 4]], [3.5, 3.9, 0.3, 0.6])
    tilted = np.array([[4.0, 0, 0], [2.0, 4.0, 0], [0, 0, 4.0]])
    inside = folded(np.array([[-0.5, 0.1, 9.0]]), tilted) @ np.linalg.inv(tilted)
    assert ((inside >= 0) & (inside < 1)).all()
    figure = cell_figure(cell, np.zeros((2, 3)), ["Ca", "<b>"], way, "F", theme=DARK)
    assert [one.name for one in figure.data] == ["cell", "Ca", "&lt;b&gt;", "pathway of F", "F, at the end"]
    assert figure.layout.scene.aspectmode == "data"
    assert len(cell_figure(cell, np.zeros((1, 3)), ["Ca"], np.empty((0, 0, 3)), "F", theme=LIGHT).data) == 2


def node(pk: int, kind: str, role: str, step: int, **change: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("label", "process_type", "formula", "name", "exit_status"))
    return nothing | {"pk": pk, "uuid": f"u{pk}", "kind": kind, "role": role, "step": step} | change


NODES = pd.DataFrame(
    [
        node(9, "result", "", 0),
        node(
            8,
            "function",
            "result",
            1,
            process_type="aiida.calculations:ion.fit_conductivity",
        ),
        node(7, "result", "T_0800K", 2),
        node(6, "job", "diffusion", 3, process_type="aiida.calculations:ion.diffusion", exit_status=0),
        node(5, "settings", "parameters", 4),
        node(4, "trajectory", "trajectories__replica_00_segment_001", 4),
        node(3, "files", "retrieved", 3),
        node(2, "structure", "structure", 5, formula="<b>Li</b>"),
    ]
)
EDGES = pd.DataFrame(
    [(8, 9, "result"), (7, 8, "T"), (6, 7, "d"), (5, 6, "p"), (4, 6, "t"), (6, 3, "r"), (2, 4, "s")],
    columns=["source", "target", "label"],
)


def test_layers_go_from_origin_to_number() -> None:
    places = layered(NODES["pk"].tolist(), list(zip(EDGES["source"], EDGES["target"], strict=True)))
    assert {pk: x for pk, (x, _) in places.items()} == {9: 0, 8: -1, 7: -2, 6: -3, 5: -4, 4: -4, 3: -2, 2: -5}
    assert len(set(places.values())) == len(places)
    # Two chains side by side do not cross.
    chains = [(1, 3), (2, 4), (3, 6), (4, 5), (5, 0), (6, 0)]
    y = {number: place[1] for number, place in layered(range(7), chains).items()}
    assert (y[1] - y[2]) * (y[3] - y[4]) > 0
    assert (y[3] - y[4]) * (y[6] - y[5]) > 0
    assert layered([1, 2, 3], [(2, 3), (3, 2)]).keys() == {1, 2, 3}


def test_the_graph_leads_to_its_nodes() -> None:
    figure = graph_figure(NODES, EDGES, theme=LIGHT)
    shown = {row[0] for one in figure.data if one.customdata is not None for row in one.customdata}
    assert shown == set(NODES["uuid"])
    links = figure.data[0]
    assert list(links.x).count(None) == len(EDGES)
    structure = next(one for one in figure.data if one.name == "structure")
    assert list(structure.text) == ["&lt;b&gt;Li&lt;/b&gt;"]
    main = main_path(NODES)
    assert set(NODES["pk"]) - set(main["pk"]) == {5}
    assert len(graph_figure(main, EDGES, theme=DARK).data[0].x) == 3 * (len(EDGES) - 1)
    assert label_of(node(4, "trajectory", "trajectories__replica_00_segment_001", 4)) == "replica 0 segment 1"
    assert label_of(node(8, "function", "r", 1, process_type="a.b.fit_conductivity")) == "fit conductivity"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_figure_is_json(theme: Any) -> None:
    for figure in (msd_figure([curve(600)], theme=theme), graph_figure(NODES, EDGES, theme=theme)):
        assert "plot_bgcolor" in figure.to_json()
