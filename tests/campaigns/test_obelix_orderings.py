"""What becomes of the crystals of OBELiX: of the published files, where they are there."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.campaigns.obelix.orderings import COLUMNS, counts_of, planned_entries
from aiida_ion.datasets.obelix import Entry, read_obelix
from aiida_ion.datasets.obelix_crystals import ALL, DISORDERED, ORDERED, select
from tests.datasets.obelix_files import real_dataset

#: Files that no arrangement of atoms has, or of another compound than the table: id -> word and part of the sentence.
BROKEN = {
    "duf": ("composition", "of the atoms"),
    "ckw": ("composition", "of the atoms"),
    "9yt": ("occupancy", "another multiplicity"),
    "4xq": ("composition", "of the atoms"),
    "hx7": ("hydrogen", "contains hydrogen"),
    "na5": ("vacancies", "empty"),
    "4ie": ("composition", "the table says"),
    "8fn": ("composition", "the table says"),
    "dlj": ("vacancies", "empty"),
    "me3": ("charge", "and so is"),
    "zs0": ("charge", "and so is"),
    "mg4": ("mobile ion", "only cells without Al are neutral"),
    "vg0": ("mobile ion", "no neutral cell"),
}
#: Small crystals of several families, and those whose mobile ions the table mends: id -> disorder, source.
GOOD = {
    "122": ("both", "file"),
    "mtn": ("both", "file"),
    "ei3": ("both", "file"),
    "nhq": ("mobile", "file"),
    "etz": ("mobile", "table"),
    "5tl": ("mixed", "table"),
    "ueu": ("both", "table"),
}


@cache
def entries() -> dict[str, Entry]:
    return read_obelix(real_dataset())


def rows(*ids: str, **settings: Any) -> dict[str, dict[str, Any]]:
    given = OrderingSettings.from_dict({"max_atoms": 400} | settings)
    return {row["id"]: row for row in planned_entries(select(entries(), ids), given)}


def test_broken_files_are_refused_for_their_reason() -> None:
    made = rows(*BROKEN)
    assert {name: row["outcome"] for name, row in made.items()} == dict.fromkeys(BROKEN, "refused")
    for name, (reason, words) in BROKEN.items():
        assert made[name]["reason"] == reason and words in made[name]["message"], made[name]["message"]


def test_good_ones_become_cells_close_to_what_was_stated() -> None:
    made = rows(*GOOD, n_orderings=5)
    for name, (disorder, source) in GOOD.items():
        row = made[name]
        assert (row["outcome"], row["disorder"], row["mobile_source"]) == ("ensemble", disorder, source), row
        assert row["n_orderings"] == (1 if disorder == "mobile" else 5) and row["n_atoms"] <= 400
        assert abs(row["mobile_deviation"]) <= 0.05 and set(row) == set(COLUMNS)
    assert "were put on vacant places" in made["5tl"]["remarks"]
    assert "charged alike" in made["ueu"]["remarks"]


def test_words_select_the_files() -> None:
    counts = {word: len(select(entries(), [word])) for word in (ALL, ORDERED, DISORDERED)}
    assert counts == {ALL: 321, ORDERED: 72, DISORDERED: 249}


@pytest.mark.slow
def test_all_of_them() -> None:
    made = rows(ALL, max_atoms=820)
    outcomes = [row["outcome"] for row in made.values()]
    assert len(made) == 321 and outcomes.count("ensemble") >= 225
    for row in made.values():
        assert (row["outcome"] == "refused") == bool(row["message"])
        assert row["outcome"] != "ensemble" or abs(row["mobile_deviation"]) <= 0.05
    assert counts_of(list(made.values()))[0].startswith("321 crystals: ")
