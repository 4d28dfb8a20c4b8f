"""The same tables from an archive of real runs, which nobody imported."""

from __future__ import annotations

import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.queries import Selection
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.unreadable import counting_unreadable

pytestmark = pytest.mark.usefixtures("campaign")
FLUORIDE = ("classical/Gillan-1986", "classical/softened")


def test_an_archive_has_every_table() -> None:
    crystals = queries.materials().set_index("formula")
    assert list(crystals.index) == ["Ar", "CaF2", "Li2O"]
    assert crystals.loc["CaF2", "levels_of_theory"] == ", ".join(FLUORIDE)
    assert crystals.loc["CaF2", "n_failed"] == 1
    assert crystals.loc["Li2O", "best_grade"] == "bound"
    result = queries.conductivity(Selection(formula="CaF2"))
    measured = result[result["verdict"] == "measured"]
    assert tuple(measured["level_of_theory"]) == FLUORIDE
    assert (measured["n_temperatures_moved"] == 3).all()
    assert set(measured["engine"]) == {"lammps"}
    fits = queries.diffusion(Selection(elements=("Ca", "F")))
    assert set(fits.loc[fits["conductivity_uuid"].isin(measured["uuid"]), "target_temperature_K"]) == {1700, 1900, 2100}
    assert (fits["wall_time_s"] > 0).all()
    assert fits["superseded"].any()
    compared = queries.comparison(Selection(formula="CaF2")).iloc[0]
    assert compared["conductivity_uuid"] == measured["uuid"].iloc[1]
    assert compared["reference_conductivity_uuid"] == measured["uuid"].iloc[0]


def test_runs_of_an_archive_say_what_became_of_them() -> None:
    table = queries.runs()
    exploded = table[table["exit_status"] == 410]
    assert exploded["exit_message"].str.contains("exploded").all()
    assert set(exploded["level_of_theory"]) == {FLUORIDE[0]}  # known from the other runs with this potential
    assert table["segment"].max() == 1
    assert set(table["seed"]) == {1, 2}
    assert set(queries.potentials()["name"]) >= {"gillan-caf2-1986", "pedone-2006", "lj"}
    ledger = queries.cost()
    assert (ledger["wall_s_per_step"] > 0).all()
    assert len(queries.runs(Selection(group="campaign"))) == len(table)


def test_nothing_real_is_unreadable() -> None:
    """What the work chains of today store is all read: nothing is lost to a kind that does not fit."""
    with counting_unreadable() as counts:
        for name in ("materials", "runs", "diffusion", "conductivity", "comparison", "cost", "potentials"):
            getattr(queries, name)()
        queries.comparison_records()
        for (attributes,) in orm.QueryBuilder().append((orm.ArrayData, orm.Dict), project=["attributes"]).iterall():
            read = read_attributes(attributes)
            assert [key for key, value in attributes.items() if value is not None and read[key] is None] == []
    assert not counts
