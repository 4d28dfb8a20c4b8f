"""Two polymorphs, an imported trajectory and what runs: each has its page, and no number is mixed with another's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from aiida.manage.configuration.profile import Profile
from ase.spacegroup import crystal
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.calculations.experiment import link_experiment
from aiida_ion.dashboards import comparing, crystals, tables
from aiida_ion.dashboards.material_rows import material_rows
from aiida_ion.dashboards.materials import listed
from aiida_ion.dashboards.pages import compare, material, material_line, overview
from aiida_ion.dashboards.pages.material_result import Fits
from aiida_ion.dashboards.pages.materials_choices import matching
from aiida_ion.dashboards.pairs import scores
from aiida_ion.dashboards.state import View
from tests.queries.nodes import chain, conductivity_of, fit, given

CUBIC = crystal(["O", "Li"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[4.62] * 3 + [90] * 3)
LAYERED = crystal(["O", "Li"], [(0, 0, 0), (1 / 3, 2 / 3, 0.5)], spacegroup=191, cellpar=[3.1, 3.1, 3.9, 90, 90, 120])
INTERVAL = {"ionic_conductivity_ci95_mS_cm": [0.5, 2.0]}


@pytest.fixture(scope="module")
def stored(module_profile: Profile) -> dict[str, Any]:
    return store()


def store() -> dict[str, Any]:
    """Store the results of two polymorphs of one formula, an imported fit, and work chains without a result."""
    nodes = {"cubic": orm.StructureData(ase=CUBIC).store(), "layered": orm.StructureData(ase=LAYERED).store()}
    nodes["again"] = orm.StructureData(ase=CUBIC).store()  # the same file, read twice
    nodes["nitride"] = orm.StructureData(ase=LAYERED.repeat((2, 1, 1))).store()
    for name, level, value in (
        ("cubic", "PBE", 1.0),
        ("again", "MLIP", 10.0),
        ("layered", "MLIP", 1000.0),
    ):
        of = {"formula": "Li2O", "level_of_theory": level}
        process = started(nodes[name], "Li2O").store()
        fits = [fit(of | {"target_temperature_K": kelvin, "grade": "B"}, caller=process) for kelvin in (800.0, 900.0)]
        attributes = of | {"ionic_conductivity_mS_cm": value, "ionic_conductivity_ci95_mS_cm": [value / 2, value * 2]}
        nodes[f"{name} {level}"] = conductivity_of(fits, process, attributes)
    bound = {"verdict": "bound", "ionic_conductivity_mS_cm": None, "ionic_conductivity_upper_bound_mS_cm": 1e-3}
    process = started(nodes["layered"], "Li2O").store()
    nodes["bound"] = conductivity_of([], process, {"formula": "Li2O", "level_of_theory": "PBE"} | bound)
    nodes["imported"] = fit({"formula": "Li2O", "level_of_theory": "PBE", "temperature_K": 700.0}).outputs.diffusion
    nodes["failed"] = started(nodes["nitride"], "Li3N", state="finished", exit_status=502).store()
    nodes["failed"].set_exit_message("The crystal <b>melted</b>.")
    nodes["running"] = started(nodes["nitride"], "Li3N", state="waiting").store()
    for name, about in (
        ("298", {"temperature_K": 298.0, "ionic_conductivity_mS_cm": 2.0}),
        ("bare", {"temperature_K": None, "ionic_conductivity_mS_cm": 5.0}),
    ):
        entry = {"dataset": "obelix", "entry_id": name, "entry_formula": "Li2O", "conductivity_kind": "total"}
        link_experiment(nodes["cubic"], orm.Dict(entry | about))
    return nodes


def started(structure: orm.StructureData, formula: str, **how: Any) -> Any:
    return given(chain(**how), structure=structure, parameters=orm.Dict({"formula": formula}))


@pytest.fixture(autouse=True)
def fresh_tables(stored: dict[str, Any]) -> Iterator[None]:
    tables.use(tables.TableCache(changes=False))
    yield
    tables.use(tables.TableCache())


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def key(node: orm.Node) -> str:
    table = tables.table("conductivity")
    return str(table.loc[table["structure_uuid"] == node.uuid, "crystal"].iloc[0])


def test_a_crystal_has_one_key_however_often_it_was_read(stored: dict[str, Any]) -> None:
    assert key(stored["cubic"]) == key(stored["again"]) != key(stored["layered"])
    table = tables.table("materials")
    assert list(table["formula"]) == ["Li2O", "Li2O", "Li2O", "Li3N"]
    assert table["crystal"].nunique() == 3  # the imported one has none
    words = crystals.words_of([key(stored["cubic"]), key(stored["layered"]), None])
    assert words == [
        f"Fm-3m · {key(stored['cubic'])[:8]}",
        f"P6/mmm · {key(stored['layered'])[:8]}",
        "imported, no crystal",
    ]


def test_the_page_of_a_polymorph_has_only_its_own_results(stored: dict[str, Any]) -> None:
    address = crystals.material_view("Li2O", key(stored["layered"]))
    page = text(material.layout(address))
    assert "P6/mmm" in page and "2 results" in page and "Other crystals of this formula" in page
    for name in ("layered MLIP", "bound"):
        assert stored[name].uuid in page
    for name in ("cubic PBE", "again MLIP"):
        assert stored[name].uuid not in page
    # A structure's own UUID names its crystal, too; a result decides against a formula.
    assert stored["bound"].uuid in text(material.layout(View(crystal=stored["layered"].uuid)))
    named = text(material.layout(View(formula="Li2O", uuid=stored["again MLIP"].uuid)))
    assert "Fm-3m" in named and stored["layered MLIP"].uuid not in named


def test_a_formula_of_several_crystals_leads_to_a_choice(stored: dict[str, Any]) -> None:
    page = text(material.layout(View(formula="Li2O")))
    assert "3 crystals have the formula Li₂O" in page
    for words in ("Fm-3m", "P6/mmm", "imported, no crystal", f"crystal={key(stored['layered'])[:16]}", "crystal=none"):
        assert words in page, words
    assert stored["cubic PBE"].uuid not in page
    # The only one needs no choice.
    assert "Work chains without a result" in text(material.layout(View(formula="Li3N")))


def test_pairs_of_different_crystals_are_counted_and_not_scored(stored: dict[str, Any]) -> None:
    view = View(x="PBE")
    pairs = comparing.chosen_pairs(view, comparing.choices(view))
    row = scores(pairs, comparing.choices(view).quantity).iloc[0]
    # 10 against 1 of the same crystal: one decade. 1000 against the bound of the other polymorph is a bound.
    assert (row["n_pairs"], row["n_bounds"], row["mae"]) == (1, 1, pytest.approx(1.0))
    assert set(pairs["material"]) == {f"Li₂O ({words})" for words in crystals.words_of(pairs["y_crystal"])}
    diffusivity = View(x="PBE", options=(("quantity", "diffusivity"),))
    pairs = comparing.chosen_pairs(diffusivity, comparing.choices(diffusivity))
    row = scores(pairs, comparing.choices(diffusivity).quantity).iloc[0]
    assert (row["n_pairs"], row["n_other_structures"]) == (2, 2)  # the layered crystal has no diffusivity by PBE
    page = text(compare.layout(diffusivity))
    assert "2 pairs share a formula but not a crystal" in page and "Pairs of different crystals" in page


def test_a_measurement_belongs_to_its_crystal_and_has_a_temperature(stored: dict[str, Any]) -> None:
    cubic = material.shown_of(crystals.material_view("Li2O", key(stored["cubic"]), stored["cubic PBE"].uuid))
    drawn, words = material_line.measurements_of(cubic)
    assert list(drawn["entry_id"]) == ["298"]
    assert words == " Measurements that are not drawn: 1 of this crystal without a temperature."
    stars = next(trace for trace in material_line.figure(cubic).data if trace.name == "experiment")
    assert list(stars.x) == [pytest.approx(1000 / 298)]
    layered = material.shown_of(crystals.material_view("Li2O", key(stored["layered"]), stored["bound"].uuid))
    drawn, words = material_line.measurements_of(layered)
    assert drawn.empty and words == " Measurements that are not drawn: 2 of other crystals."


def test_what_has_no_conductivity_has_a_page(stored: dict[str, Any]) -> None:
    view = crystals.material_view("Li2O", None)
    shown = material.shown_of(view)
    assert isinstance(shown, Fits)
    assert list(shown.points["uuid"]) == [stored["imported"].uuid]
    page = text(material.layout(view))
    for words in (
        "There is no conductivity.",
        "Imported trajectories are fitted one by one",
        "Mean squared displacement",
    ):
        assert words in page, words
    assert stored["imported"].uuid in page
    page = text(material.layout(View(formula="Li3N")))
    for words in (
        "running",
        "FAILED [502]",
        "The crystal <b>melted</b>.",
        stored["running"].uuid,
        "1 running, 1 failed",
    ):
        assert words in page, words


def test_the_table_of_materials_shows_one_level_and_one_temperature(stored: dict[str, Any]) -> None:
    table = material_rows(View(level_of_theory="MLIP")).set_index("key")
    cubic, layered = key(stored["cubic"]), key(stored["layered"])
    assert table.loc[cubic, "sigma_words"] == "10 [5, 20]"
    assert table.loc[layered, "sigma_words"] == "1000 [500, 2000]"
    assert (table.loc[cubic, "grade"], table.loc[cubic, "experiment_words"]) == ("B", "2; 1 without a temperature")
    assert table.loc["Li2O", "sigma_words"] == "-"
    table = material_rows(View(level_of_theory="PBE")).set_index("key")
    assert table.loc[layered, "sigma_words"] == "< 0.001"
    assert pd.isna(table.loc[layered, "ionic_conductivity_mS_cm"])  # a bound is ranked among no values
    assert stored["bound"].uuid in table.loc[layered, "href"]


def test_grades_that_can_be_chosen_are_those_of_the_column(stored: dict[str, Any]) -> None:
    view = View(level_of_theory="MLIP", grades=("B",))
    assert set(matching(view)["grade"]) == {"B"} and len(matching(view)) == 2
    assert matching(View(level_of_theory="MLIP", grades=("A",))).empty


def test_counts_agree_between_pages(stored: dict[str, Any]) -> None:
    counts = overview.counts()
    table = tables.table("materials")
    assert counts["materials"] == len(table) == len(listed.materials(View())) == 4
    assert counts["conductivities"] == table["n_conductivities"].sum() == 4
    assert counts["fits"] == table["n_temperatures"].sum() == 7
    assert counts["levels"] == len(comparing.level_names()) == 2
    assert (counts["running"], counts["failed"]) == (table["n_running"].sum(), table["n_failed"].sum()) == (1, 1)
