"""The pages of a material and of a node, as they are laid out from the archive of a small campaign."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import dcc, html
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.analysis.jumps.rates import JumpType
from aiida_ion.dashboards import numbers, tables
from aiida_ion.dashboards.figures.theme import LIGHT
from aiida_ion.dashboards.help_texts import HELP
from aiida_ion.dashboards.pages import material, material_fit, material_line, material_runs, provenance
from aiida_ion.dashboards.pages.atoms import run_view
from aiida_ion.dashboards.pages.material_result import Result
from aiida_ion.dashboards.state import View
from aiida_ion.figures import stored_density, stored_motion
from aiida_ion.queries.atoms.densities import ion_density


@pytest.fixture(autouse=True)
def fresh_tables(campaign: Path) -> Iterator[None]:
    """Give the pages tables of the archive, and leave none of them to the next test."""
    tables.use(tables.TableCache(changes=False))
    yield
    tables.use(tables.TableCache())


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def result(level: str, verdict: str) -> str:
    table = tables.table("conductivity")
    chosen = (table["formula"] == "CaF2") & (table["level_of_theory"] == level) & (table["verdict"] == verdict)
    return str(table.loc[chosen, "uuid"].iloc[0])


def shown(view: View) -> Result:
    return material.shown_of(view)


def test_a_material_shows_its_newest_measured_result() -> None:
    view = View(formula="CaF2", theme="light")
    results = material.shown_of(view).results
    assert len(results) == 3
    assert results["time"].is_monotonic_decreasing
    chosen = material.chosen_result(results, None)
    assert results.set_index("uuid").loc[chosen, "verdict"] == "measured"
    assert material.chosen_result(results, "nowhere") == chosen
    other = result("classical/Gillan-1986", "not_measurable")
    assert material.chosen_result(results, other) == other
    assert set(material.shown_of(View(uuid=other)).results["uuid"]) == set(results["uuid"])


def test_everything_of_a_result_is_on_its_page() -> None:
    uuid = result("classical/Gillan-1986", "not_measurable")
    values = text(material.layout(View(formula="CaF2", uuid=uuid, theme="dark")))
    for words in (
        "CaF₂",
        "Fm-3m · ",
        "The runs are too short for a useful bound",
        "Replica 2: The temperature drifts by",
        "No diffusive regime",
        "temperature drift",
        "Seeds and segments",
        "Cost of the molecular dynamics",
        "Rounds of extension",
        "1800 K: budget",
        *(
            "Checks: ",
            "5.720, 5.720, 5.720 Å",
            "90.00, 90.00, 90.00°",
            "g/cm³",
            "2 × 2 × 2 cells",
            HELP["material-msd"],
        ),
    ):
        assert words in values, words
    assert f"/provenance?uuid={uuid}" in values


def fit_of_fluorite() -> str:
    view = View(formula="CaF2", uuid=result("classical/Gillan-1986", "measured"), theme="light")
    return str(material.shown_of(view).points["uuid"].iloc[-1])


def test_the_density_of_a_run_is_folded_and_counts_its_ions() -> None:
    found = ion_density(fit_of_fluorite(), "F")
    volume = abs(np.linalg.det(found.cell_A))
    assert found.values_A3.sum() * volume / found.values_A3.size * found.n_cells == pytest.approx(
        found.n_ions, rel=1e-3
    )
    assert found.n_cells > 1 and set(found.framework_symbols) == {"Ca"}
    assert len(found.framework_A) * 2 * found.n_cells == found.n_ions
    assert 1 < found.n_frames <= found.n_stored and found.times_ps[0] < found.times_ps[1]
    # Fluorine is at its tetrahedral sites, between four calcium ions each, and not on calcium.
    top = np.array(np.unravel_index(found.values_A3.argmax(), found.values_A3.shape)) / found.values_A3.shape
    apart = top - found.framework_A @ np.linalg.inv(found.cell_A)
    distances = np.sort(np.linalg.norm((apart - np.round(apart)) @ found.cell_A, axis=1))
    assert distances[0] > 1.9
    assert found.level_holding(0.5) > found.level_holding(0.95) > 0
    with pytest.raises(ValueError, match="has no Xe"):
        ion_density(fit_of_fluorite(), "Xe")


def test_the_cell_of_a_run_is_shown_in_every_way() -> None:
    uuid = fit_of_fluorite()
    pathways = run_view.drawn(uuid, run_view.PATHWAYS, LIGHT)
    assert "smoothed over" in pathways.words and not pathways.figure.layout.sliders
    density = run_view.drawn(uuid, run_view.DENSITY, LIGHT)
    meshes = [trace for trace in density.figure.data if trace.type == "mesh3d"]
    (slider,) = density.figure.layout.sliders
    shares = [int(step.label.split(" %")[0]) for step in slider.steps]
    assert shares == list(run_view.SHARES) and len(meshes) == len(shares)
    assert [mesh.visible for mesh in meshes] == [share == run_view.USUAL_SHARE for share in shares]
    # What holds more of the ions surrounds what holds fewer.
    assert all(few.name != more.name for few, more in itertools.pairwise(meshes))
    for words in ("the share of the", "stored frames" if "every" in density.words else "all frames"):
        assert words in density.words
    motion = run_view.drawn(uuid, run_view.MOTION, LIGHT)
    assert 1 < len(motion.figure.frames) <= 50 and "frames of the first run" in motion.words
    for show in ("nowhere", "<b>", "00000000-0000-0000-0000-000000000000"):
        nothing = run_view.drawn(uuid, show, LIGHT)
        words = nothing.figure.layout.annotations[0].text.replace("<br>", " ")
        assert "There is nothing to draw: there is no map" in words
    figures = (stored_density(uuid, share=0.5), stored_motion(uuid))
    assert figures[0].data[-1].type == "mesh3d" and len(figures[1].frames) == len(motion.figure.frames)
    with pytest.raises(ValueError, match="share must be"):
        stored_density(uuid, share=1.0)


def test_the_plot_has_one_line_of_each_level_or_only_this_one() -> None:
    uuid = result("classical/Gillan-1986", "measured")
    view = View(formula="CaF2", uuid=uuid, theme="light")
    results = material.shown_of(view).results
    every = material_line.figure(Result(view, results))
    names = [one.name for one in every.data if one.name and one.name.endswith("band")]
    assert names == ["classical/Gillan-1986, 95 % band", "classical/softened, 95 % band"]
    alone = material_line.figure(Result(view.with_options(lines="one"), results))
    assert [one.name for one in alone.data if one.name and one.name.endswith("band")] == names[:1]
    as_d = material_line.figure(Result(replace(view, y="diffusivity"), results))
    assert "D*" in as_d.layout.yaxis.title.text
    nonsense = material_line.figure(Result(replace(view, y="<b>"), results))
    assert "σT" in nonsense.layout.yaxis.title.text


def test_checks_have_numbers_limits_and_verdicts() -> None:
    uuid = result("classical/Gillan-1986", "not_measurable")
    points = shown(View(uuid=uuid)).points
    refused = points.loc[points["refused"].notna(), "uuid"].iloc[0]
    values = text(material_fit.checks(refused))
    assert values.index("temperature drift") < values.index("max force")  # what failed comes first
    assert "eV/Å" in values
    assert "✕" in values
    assert "No checks are stored" in text(material_fit.checks(None))


def test_the_run_is_drawn_or_it_is_said_why_not() -> None:
    uuid = result("classical/Gillan-1986", "measured")
    fit = shown(View(uuid=uuid)).points["uuid"].iloc[0]
    values = text(material_fit.run_cards(fit, "light"))
    assert "F in the cell" in values
    assert "The 40 of 64 F with the largest displacements." in values
    assert material_fit.run_cards(None, "light") == []


def test_every_point_that_can_be_clicked_carries_its_node() -> None:
    uuid = result("classical/Gillan-1986", "not_measurable")
    page = material.layout(View(formula="CaF2", uuid=uuid, theme="light"))
    fit = shown(View(uuid=uuid)).points["uuid"].iloc[0]
    drawn = [*graphs(page), *graphs(html.Div(material_fit.run_cards(fit, "light")))]
    names = {"material-arrhenius", "material-msd", "material-rdf", "material-cell", "material-history"}
    assert {one.id for one in drawn} == names <= set(HELP)
    for graph in drawn:
        for trace in graph.figure.data:
            if trace.hoverinfo != "skip" and len(trace.x) and trace.x[0] is not None:
                assert len(trace.customdata) == len(trace.x), (graph.id, trace.name)
                assert all(len(row[0]) == 36 for row in trace.customdata)


def graphs(component: Any) -> list[Any]:
    return [one for one in component._traverse() if isinstance(one, dcc.Graph)]


def test_a_material_that_is_not_there_has_a_way_on() -> None:
    assert "No results of Xe₂" in text(material.layout(View(formula="Xe2")))
    chooser = text(material.layout(View()))
    assert "/material?formula=Li2O&crystal=" in chooser


def test_the_way_of_a_number_is_drawn_and_listed() -> None:
    uuid = result("classical/Gillan-1986", "measured")
    values = text(provenance.layout(View(uuid=uuid, theme="light")))
    for words in ("gillan-caf2-1986", "make supercell", "fit conductivity", "retrieved", "This node as zip", "return"):
        assert words in values, words
    assert "/download/file?uuid=" in values
    short = provenance.layout(View(uuid=uuid, theme="light"))
    everything = provenance.layout(View(uuid=uuid, theme="light").with_options(nodes="everything"))
    assert len(text(everything)) > len(text(short))
    assert "There is no such node." in text(provenance.layout(View(uuid="<script>")))
    assert "Choose a number." in text(provenance.layout(View()))


def test_jumps_are_shown_where_they_were_looked_at() -> None:
    kind = JumpType("Li", "Li <b>", 2.4, 57, 0.1, [0.08, 0.13], 0.1, 0.2, [0.19, 0.22])
    attributes = {
        "site_kinds": {"Li": {"n_sites": 64, "occupancy": 0.98}},
        "jump_types": [kind.to_dict()],
        "n_jumps": 57,
        "attempt_frequency_THz": 9.1,
        "jump_diffusivity_cm2_s": 1e-6,
    }
    card = text(material_runs.jumps_card({"label": "T_1300K", "uuid": "12345678-x", "content": attributes}))
    for words in ("Jumps, 1300K", "Li → Li <b>", "0.98", "57", "9.1 THz", "/provenance?uuid=12345678-x"):
        assert words in card, words


def test_numbers_are_short() -> None:
    assert numbers.short(1234567.0) == "1.23e+06"
    assert numbers.short(12345.0) == "12345"
    assert numbers.short(None) == numbers.short(float("nan")) == numbers.short("<b>") == numbers.short(True) == "-"
    assert [numbers.grouped(value) for value in (200_000, 1234.5, 12.345)] == ["200,000", "1,234", "12.3"]
    attributes = {"x_eV": 0.25, "x_ci95_eV": [0.2, 0.3]}
    assert numbers.interval(attributes, "x", "_eV", "eV") == "0.25 [0.2, 0.3] eV"
    assert numbers.interval({"x_eV": 0.25}, "x", "_eV", "eV") == "0.25 eV"
    assert numbers.interval({}, "x", "_eV", "eV") == "-"
