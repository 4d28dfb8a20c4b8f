"""One row a conductivity, with what it rests on; one row a crystal, with what is known of it."""

from __future__ import annotations

import pandas as pd
import pytest
from aiida import orm

from aiida_ion.queries import Selection, conductivity, materials
from tests.queries.nodes import chain, conductivity_of, fit, given

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_a_conductivity_is_one_row_with_what_was_refused() -> None:
    process = chain().store()
    conductivity_of([], process, {}, cost_s=120.0)
    conductivity_of([], chain().store(), {"formula": "Li2O", "verdict": "bound", "ionic_conductivity_mS_cm": None})
    table = conductivity()
    assert list(table["formula"]) == ["Li2O", "Li3N"]
    row = table.loc[1]
    assert row["process_pk"] == process.pk
    assert row["wall_time_s"] == 120.0
    assert row["n_temperatures_moved"] == 2
    assert row["temperatures_used_K"] == "801.3, 900"
    assert row["temperatures_bound_K"] == "500"
    assert row["temperatures_refused_K"] == "600"
    assert row["refusals"] == "600 K: molten"
    assert pd.isna(table.loc[0, "ionic_conductivity_mS_cm"])
    assert pd.isna(table.loc[0, "wall_time_s"])
    assert len(conductivity(Selection(level_of_theory="PBEsol"))) == 0
    assert list(conductivity(Selection(elements=("N",)))["formula"]) == ["Li3N"]
    assert "activation_energy_ci95_low_eV" in table


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        (["A", "C", "B"], "C"),
        (["A", "bound"], "A"),
        (["bound", "bound"], "bound"),
        ([], None),
    ],
)
def test_the_grade_is_the_worst_of_what_was_used(grades: list[str], expected: str | None) -> None:
    fits = [fit({"grade": grade, "verdict": "bound" if grade == "bound" else "moved"}) for grade in grades]
    fits += [fit({"grade": "D", "refused_because": "It melted."}), fit({"grade": "C", "fit_consistent": False})]
    conductivity_of(fits, chain().store(), {})
    (result,) = conductivity()["grade"]
    assert result == expected or (expected is None and pd.isna(result))
    assert len(conductivity(Selection(grades=("A",)))) == (expected == "A")


def test_a_conductivity_knows_its_crystal_and_its_engine(
    lithium_oxide: orm.StructureData, aiida_localhost: orm.Computer
) -> None:
    code = orm.InstalledCode(label="sevenn", computer=aiida_localhost, filepath_executable="/bin/true")
    potential = orm.Dict({"name": "sevenn", "model": "7net-0"})
    parameters = orm.Dict({"formula": "Li2O"})
    inputs = {"md__engine__code": code, "md__engine__potential": potential, "parameters": parameters}
    process = given(chain(), structure=lithium_oxide, **inputs).store()
    conductivity_of([], process, {})
    (row,) = conductivity().to_dict("records")
    assert row["structure_uuid"] == lithium_oxide.uuid
    assert (row["engine"], row["potential"], row["model"]) == ("sevenn", "sevenn", "7net-0")
    assert (row["code_uuid"], row["potential_uuid"]) == (code.uuid, potential.uuid)


def test_a_crystal_is_one_row_however_often_it_was_read(
    lithium_oxide: orm.StructureData, lithium_nitride: orm.StructureData
) -> None:
    again = orm.StructureData(ase=lithium_oxide.get_ase())
    for structure, level, value in ((lithium_oxide, "PBE", 1.0), (again, "CHGNet", 2.0)):
        process = given(chain(), structure=structure, parameters=orm.Dict({"formula": "Li2O"})).store()
        of = {"formula": "Li2O", "level_of_theory": level}
        fits = [
            fit(of | {"target_temperature_K": temperature_K, "grade": grade}, caller=process)
            for temperature_K, grade in ((800.0, "C"), (900.0, "B"))
        ]
        attributes = {"formula": "Li2O", "level_of_theory": level, "ionic_conductivity_mS_cm": value}
        conductivity_of(fits, process, attributes)
    for state, status in (("finished", 502), ("waiting", 0)):
        filters = {"structure": lithium_nitride, "parameters": orm.Dict({"formula": "Li3N"})}
        given(chain(state=state, exit_status=status), **filters).store()
    fit({"formula": "Li2O", "level_of_theory": "imported"})
    oxide, imported, nitride = materials().to_dict("records")
    assert oxide["formula"] == imported["formula"] == "Li2O"
    assert oxide["elements"] == "Li O"
    assert oxide["levels_of_theory"] == "CHGNet, PBE"
    assert (oxide["n_levels"], oxide["n_structures"], oxide["n_runs"]) == (2, 2, 4)
    assert (oxide["n_temperatures_moved"], oxide["n_conductivities"]) == (4, 2)
    assert oxide["best_grade"] == "B"
    assert (oxide["ionic_conductivity_mS_cm"], oxide["level_of_theory"]) == (2.0, "CHGNet")
    assert oxide["structure_uuid"] == again.uuid
    assert imported["levels_of_theory"] == "imported"
    assert (nitride["formula"], nitride["n_failed"], nitride["n_running"]) == ("Li3N", 1, 1)
    assert nitride["n_temperatures"] == 0
    assert list(materials(Selection(elements=("N",)))["formula"]) == ["Li3N"]


def test_a_number_beside_the_verdict_is_left_out_where_its_interval_spans_decades() -> None:
    wide = {"collective_ionic_conductivity_mS_cm": 9.34e-4, "collective_ionic_conductivity_ci95_mS_cm": [1.5e-9, 479.0]}
    known = {"collective_ionic_conductivity_mS_cm": 2.0, "collective_ionic_conductivity_ci95_mS_cm": [1.0, 4.0]}
    for formula, numbers in (("Li2O", wide), ("Li3N", known)):
        conductivity_of([], chain().store(), {"formula": formula} | numbers)
    table = conductivity().set_index("formula")
    assert pd.isna(table.loc["Li2O", "collective_ionic_conductivity_mS_cm"])
    assert table.loc["Li2O", "collective_ionic_conductivity_ci95_high_mS_cm"] == 479.0
    assert table.loc["Li3N", "collective_ionic_conductivity_mS_cm"] == 2.0


def test_a_bound_above_what_any_solid_reaches_is_left_out() -> None:
    for formula, bound in (("Li2O", 5.5e5), ("Li3N", 1e-3)):
        about = {"formula": formula, "verdict": "bound", "ionic_conductivity_mS_cm": None}
        conductivity_of([], chain().store(), about | {"ionic_conductivity_upper_bound_mS_cm": bound})
    stricter = {"formula": "LiI", "verdict": "bound", "ionic_conductivity_mS_cm": None, "max_useful_bound_mS_cm": 0.1}
    conductivity_of([], chain().store(), stricter | {"ionic_conductivity_upper_bound_mS_cm": 0.5})
    bounds = conductivity().set_index("formula")["ionic_conductivity_upper_bound_mS_cm"]
    assert pd.isna(bounds["Li2O"]) and pd.isna(bounds["LiI"]) and bounds["Li3N"] == 1e-3
    shown = materials().set_index("formula").loc["Li3N"]
    assert (shown["verdict"], shown["ionic_conductivity_upper_bound_mS_cm"]) == ("bound", 1e-3)


def test_an_empty_profile_has_tables_with_their_columns() -> None:
    assert "activation_energy_eV" in conductivity()
    assert "best_grade" in materials()
    chosen = Selection(elements=("Li",), grades=("A",), temperature_K=(300.0, 900.0))
    assert list(conductivity(chosen)) == list(conductivity())
    assert list(materials(chosen)) == list(materials())
