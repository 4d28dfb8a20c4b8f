"""Screenings as tables: decisions, funnels, barriers and the recall of cuts."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.manage.configuration.profile import Profile

from aiida_ion import queries
from aiida_ion.queries.screening.recall import DENSITY, FOREST, VOLUME, known_of, ranking, recall
from benchmarks.synthetic.screening import BUDGET, MATERIALS, STAGES, store_screening


@pytest.fixture(scope="module")
def chain(module_profile: Profile) -> Any:
    """Return a finished screening that nothing here changes."""
    return store_screening()


def test_each_material_is_a_row_at_each_stage_that_it_reached(chain: Any) -> None:
    table = queries.decisions()
    assert list(dict.fromkeys(table["stage"])) == list(STAGES)
    gate, bvse, pes = (table[table["stage"] == stage] for stage in STAGES)
    assert len(gate) == len(MATERIALS)
    assert set(gate["verdict"]) == {"pass"}
    stored = {entry["label"]: entry for entry in _decisions_of(chain, "bvse")}
    for row in bvse.to_dict("records"):
        entry = stored[row["label"]]
        assert row["formula"] == Composition(row["name"])
        assert row["verdict"] == entry["verdict"]
        assert row["result_uuid"] == entry["result_uuid"]
        assert row["value_high"] == pytest.approx(entry["high"], nan_ok=True) or entry["high"] is None
    assert set(bvse["quantity"].dropna()) == {"barrier_1d_eV"}
    assert set(bvse["cut_maximum"]) == {1.0}
    left = pes[pes["verdict"] == "not_reached"]
    assert len(pes) - len(left) == BUDGET
    assert len(pes) == bvse["goes_on"].sum()
    assert left["value"].isna().all()
    assert left["structure_pk"].notna().all()
    assert set(table["screening"]) == {"lithium conductors"}
    assert (table["stage_number"] == table["stage"].map({name: i + 1 for i, name in enumerate(STAGES)})).all()


def Composition(formula: str) -> str:  # noqa: N802
    from pymatgen.core.composition import Composition as Formula

    return str(Formula(formula).reduced_formula)


def _decisions_of(chain: Any, stage: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = chain.outputs.decisions[f"{stage}_000"].base.attributes.get("decisions")
    return entries


def test_the_funnel_adds_up(chain: Any) -> None:
    table = queries.funnel(chain.pk)
    assert list(table["stage"]) == list(STAGES)
    assert set(table["state"]) == {"ended"}
    for row in table.to_dict("records"):
        judged = sum(row[f"n_{verdict}"] for verdict in ("pass", "unsure", "fail", "error"))
        assert judged + row["n_not_reached"] == row["n_materials"]
    assert list(table["n_materials"][1:]) == list(table["n_goes_on"][:-1])
    assert table["n_goes_on"].iloc[-1] == len(chain.outputs.summary.base.attributes.get("survivors"))
    assert table["n_not_reached"].iloc[-1] > 0
    assert list(table["core_s"]) == pytest.approx([0.0, 72.0 * 24, 72.0 * BUDGET])
    assert table["first_error"].iloc[1] == "its charges cannot be assigned"
    (row,) = queries.screenings().to_dict("records")
    assert (row["state"], row["n_materials"], row["n_survivors"]) == ("finished", 24, table["n_goes_on"].iloc[-1])
    assert row["n_not_reached"] == table["n_not_reached"].sum()
    assert row["core_s"] == pytest.approx(table["core_s"].sum())
    assert row["summary_uuid"] == chain.outputs.summary.uuid


def test_barriers_of_the_jobs(chain: Any) -> None:
    table = queries.percolation()
    assert len(table) == 24 + BUDGET
    assert set(table["method"]) == {"bvse", "pes"}
    refused = table[table["status"] == "refused"]
    assert refused["barrier_1d_eV"].isna().all()
    assert set(refused["message"]) == {"its charges cannot be assigned"}
    good = table[table["status"] == "finished"]
    assert (good["barrier_1d_low_eV"] < good["barrier_1d_eV"]).all()
    assert good["barrier_3d_eV"].isna().all()
    assert good["Xi"].notna().all()
    assert table["formula"].notna().all()
    assert set(table["cpu_s"]) == {72.0}
    crystal = orm.load_node(uuid=chain.inputs.materials[0]["uuid"])
    mine = table[table["structure_uuid"] == crystal.uuid]
    assert set(mine["structure_pk"]) == {crystal.pk}


def test_the_recall_of_each_cut(chain: Any) -> None:
    known = known_of(chain.pk)
    assert set(known["matched_by"]) == {"crystal"}
    table = recall(known).set_index("stage")
    conductors = {formula for formula, value in MATERIALS if value is not None and value >= 0.1}
    assert set(table["n_conductors_so_far"]) == {len(conductors)}
    assert table.loc["gate", "recall"] == 1.0
    assert table.loc["gate", "recall_ci95_low"] < 1.0
    kept = {Composition(entry["name"]) for entry in _decisions_of(chain, "bvse") if entry["goes_on"]}
    expected = {Composition(formula) for formula in conductors}
    assert table.loc["bvse", "n_conductors_kept"] == len(kept & expected)
    lost = table.loc["bvse", "lost"]
    assert set(lost.split(", ") if isinstance(lost, str) else ()) == expected - kept
    last = {Composition(entry["name"]) for entry in _decisions_of(chain, "pes") if entry["goes_on"]}
    assert table.loc["pes", "recall_so_far"] == pytest.approx(len(last & expected) / len(expected))
    assert table.loc["pes", "n_conductors"] <= table.loc["bvse", "n_conductors_kept"]
    assert table.loc["gate", "n_others"] == sum(value is not None and value < 0.1 for _, value in MATERIALS)
    assert recall(known, limit_mS_cm=1e-9)["n_unclear"].max() == 2  # two bounds
    assert recall(known.head(0)).empty


def test_quantities_are_ranked_beside_baselines(chain: Any) -> None:
    table = ranking(known_of(chain.pk), "Li")
    bvse = table[table["stage"] == "bvse"].set_index("name")
    assert list(bvse.index) == ["barrier_1d_eV", DENSITY, VOLUME, FOREST]
    assert bvse["n"].nunique() == 1
    assert bvse.loc["barrier_1d_eV", "roc_auc"] > 0.9  # the barriers were drawn that way
    assert bvse.loc["barrier_1d_eV", "spearman"] > 0.8
    assert list(bvse["is_baseline"]) == [False, True, True, True]
    n_judged = sum(entry["value"] is not None for entry in _decisions_of(chain, "bvse"))
    n_known = sum(value is not None for _, value in MATERIALS)
    assert bvse.loc["barrier_1d_eV", "n"] + bvse.loc["barrier_1d_eV", "n_unscored"] == n_known
    assert bvse.loc["barrier_1d_eV", "n"] <= n_judged
    assert ranking(known_of(chain.pk).head(0)).empty
