"""Trainings of surrogates as a table, and what labels and predictions cost."""

from __future__ import annotations

import pandas as pd
import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.queries.surrogates import COLUMNS, label_costs, prediction_costs
from benchmarks.synthetic.surrogate import store_training


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_empty_database_has_an_empty_table() -> None:
    table = queries.surrogates()
    assert table.empty
    assert list(table.columns) == list(COLUMNS)
    assert label_costs(None).empty
    assert prediction_costs("nowhere").empty


@pytest.mark.usefixtures("aiida_profile_clean")
def test_each_training_is_a_row_with_the_best_of_its_rivals() -> None:
    first = store_training(seed=1)
    store_training(seed=2, learnt=False)
    store_training(state={"process_state": "waiting"})
    store_training(state={"process_state": "finished", "exit_status": 410})
    table = queries.surrogates()
    assert list(table["state"]) == ["failed [410]", "waiting", "finished", "finished"]
    row = table.iloc[-1]
    assert row["uuid"] == first.uuid
    assert row["report_uuid"] == first.outputs.report.uuid
    assert row["model_uuid"] == first.outputs.model.uuid
    assert row["dataset_uuid"] == first.inputs.dataset.uuid
    assert (row["n_materials"], row["r2"], row["r2_clip_1e-4"], row["coverage95"]) == (60, 0.62, 0.52, 0.94)
    # An ablation is a part of the model, no rival of it.
    assert (row["best_control"], row["best_control_r2"]) == ("short_md_slope", 0.41)
    assert (row["gap"], row["gap_ci95_low"]) == pytest.approx((0.21, 0.11))
    assert list(table["beats_controls"].tail(2)) == ["no", "yes"]
    assert (row["mobile_species"], row["levels_of_theory"]) == ("Li", "PBE")
    assert table.loc[:1, "r2"].isna().all()


@pytest.mark.usefixtures("aiida_profile_clean")
def test_costs_of_labels_and_predictions() -> None:
    job = store_training(n_materials=10)
    labels = label_costs(job.inputs.dataset.uuid)
    assert len(labels) == 10
    assert (labels["label_wall_s"] > 0).all()
    predicted = prediction_costs(job.outputs.model.uuid)
    assert len(predicted) == 5
    assert predicted["uuid"].nunique() == 1
    assert (
        orm.load_node(predicted["uuid"].iloc[0])
        .base.links.get_incoming()
        .one()
        .node.process_type.endswith("surrogate_predict")
    )
    assert pd.api.types.is_float_dtype(predicted["seconds_forces"])


@pytest.mark.usefixtures("aiida_profile_clean")
def test_attributes_that_are_not_what_they_should_be_are_left_out() -> None:
    node = orm.ArrayData()
    node.base.attributes.set_many({"materials": [1, {"formula": "Li3N", "label_wall_s": "long"}]})
    node.store()
    assert list(label_costs(node.uuid)["formula"]) == ["Li3N"]
    assert label_costs(node.uuid)["label_wall_s"].isna().all()
