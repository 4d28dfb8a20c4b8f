"""Trained potentials as a table, and what was made with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from aiida.manage.configuration.profile import Profile

from aiida_ion import queries
from aiida_ion.cli.text.nodes import describe
from aiida_ion.cli.text.origin import ancestors
from aiida_ion.queries import Selection
from aiida_ion.queries.training.arrays import predictions, watch_arrays
from aiida_ion.queries.training.cells import formulas, held_out_errors, state_words
from aiida_ion.queries.training.students import students_behind
from aiida_ion.queries.training.trained import (
    conductivities_of,
    results_at,
    results_of,
    results_of_weights,
    runs_with,
    watches_of,
)
from aiida_ion.queries.training.trainings import NUMBERS, TRAINING_COLUMNS
from aiida_ion.unreadable import counting_unreadable
from benchmarks.synthetic import training
from benchmarks.synthetic.training import FIT, PARENT_SHA256, store_other_run, store_potential, store_run, store_student
from tests.queries.counting import statements
from tests.queries.hostile import poison_all, read_nodes, write_nodes

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def row_of(table: pd.DataFrame, node: Any) -> Any:
    return table[table["uuid"] == node.uuid].iloc[0]


def test_an_empty_database_has_an_empty_table() -> None:
    table = queries.trainings()
    assert table.empty
    assert list(table.columns) == list(TRAINING_COLUMNS)
    assert runs_with([], None).empty
    assert results_of([]).empty
    assert results_of_weights("f" * 64, ["Li2O"]).empty
    assert watches_of([]).empty
    assert conductivities_of([]).empty


def test_a_training_is_a_row_with_its_held_out_errors_before_and_after() -> None:
    job = store_potential()
    failed = store_potential(seed=2, state={"process_state": "finished", "exit_status": 340})
    table = queries.trainings()
    assert len(table) == 2
    row, errors = row_of(table, job), job.outputs.report.base.attributes.get("errors")["test"]["forces"]
    assert (row["family"], row["process"], row["state"]) == ("sevenn", "ion.train", "finished")
    assert row["level_of_theory"] == "QE PBEsol by sevenn"
    assert (row["parent"], row["parent_sha256"]) == ("SevenNet-0", PARENT_SHA256)
    assert (row["n_train"], row["n_validation"], row["n_test"]) == (7, 3, 10)
    assert row["held_out_split"] == "test"
    assert row["held_out_force_mae_eV_A"] == pytest.approx(errors["mae_eV_A"])
    assert row["held_out_force_slope"] == pytest.approx(1.0, abs=0.01)
    assert row["parent_force_slope"] == pytest.approx(0.85, abs=0.01)
    assert row["parent_force_mae_eV_A"] > 2 * row["held_out_force_mae_eV_A"]
    assert (row["n_weights"], row["n_epochs"], row["seed"], row["cpu_time_s"]) == (842440, 12, 1, 91.0)
    assert (row["formula"], row["elements"], row["single_composition"]) == ("Li2O", "Li, O", "yes")
    assert row["dataset_uuid"] == job.inputs.dataset.uuid
    assert row["potential_uuid"] == job.outputs.potential.uuid
    other = row_of(table, failed)
    assert other["state"] == "failed [340]"
    assert other["dataset_pk"] == failed.inputs.dataset.pk
    assert pd.isna(other["held_out_force_mae_eV_A"])
    assert table[list(NUMBERS)].map(lambda cell: pd.isna(cell) or np.isfinite(float(cell))).all(axis=None)


def test_a_student_is_a_row_beside_its_trainings() -> None:
    chain = store_student()
    refused = store_student(seed=20, accepted=False)
    table = queries.trainings()
    assert len(table) == 6
    row = row_of(table, chain)
    last = chain.called[-1]
    assert (row["process"], row["accepted"], row["cpu_time_s"]) == ("ion.student", "yes", 7200.0)
    assert row["report_uuid"] == last.outputs.report.uuid
    assert row["potential_uuid"] == last.outputs.files.coeff.uuid
    assert row["student_report_uuid"] == chain.outputs.report.uuid
    assert row["family"] == "POD"
    assert (row_of(table, refused)["accepted"], row_of(table, refused)["state"]) == ("no", "not accepted [713]")
    inner = table[table["process_uuid"] == chain.uuid]
    assert set(inner["member"]) == {"training_1", "training_2"}
    assert inner["accepted"].isna().all()


def test_engines_are_those_that_run_its_files() -> None:
    job, fit = store_potential(), store_potential(FIT, seed=3)
    for name, about in (
        ("own", {"checkpoint": job.outputs.potential.uuid}),
        ("pod", {"checkpoint": None, "files": {"coeff": fit.outputs.files.coeff.uuid}}),
        ("other", {"checkpoint": 7, "files": [1]}),
    ):
        code = orm.InstalledCode(label=name, computer=job.computer, filepath_executable="/bin/true").store()
        code.base.extras.set("ion", about)
    table = queries.trainings()
    assert row_of(table, job)["engines"] == "own"
    assert row_of(table, fit)["engines"] == "pod"


def test_rows_are_selected() -> None:
    job = store_potential()
    store_potential(FIT, seed=2)
    assert len(queries.trainings(Selection(formula="Li2O", elements=("Li",)))) == 2
    assert queries.trainings(Selection(formula="Li3N")).empty
    late = queries.trainings(
        Selection(level_of_theory="another", formula="Li3N", since=datetime(2000, 1, 1, tzinfo=UTC))
    )
    assert late.empty
    assert queries.trainings(Selection(elements=("Na",))).empty
    assert list(queries.trainings(Selection(level_of_theory="QE PBEsol by sevenn"))["uuid"]) == [job.uuid]
    group = orm.Group("mine").store()
    group.add_nodes(job)
    assert list(queries.trainings(Selection(group="mine"))["uuid"]) == [job.uuid]
    middle = queries.trainings()["time"].max().to_pydatetime()
    assert len(queries.trainings(Selection(since=middle))) == 1
    assert queries.trainings(Selection(until=middle))["time"].max() <= middle


def test_runs_are_found_by_file_and_by_hash() -> None:
    job, other = store_potential(), store_potential(seed=9)
    by_file, by_hash = store_run(job, 800.0), store_run(job, 1000.0, by_hash=True)
    store_run(other, 1200.0)
    potential = job.outputs.potential
    table = runs_with([potential.uuid], potential.base.attributes.get("sha256"))
    assert set(table["pk"]) == {by_file.pk, by_hash.pk}
    assert sorted(table["temperature_K"]) == [800.0, 1000.0]
    assert set(runs_with([potential.uuid], "not a hash")["pk"]) == {by_file.pk}
    results = results_of(list(table["pk"]))
    assert list(results["target_temperature_K"]) == [800.0, 1000.0]
    assert list(results["tracer_diffusivity_ci95_low_cm2_s"]) == pytest.approx([0.8e-5] * 2)
    assert set(watches_of(list(table["pk"]))["n_flagged"]) == {2}


def test_a_fit_of_lammps_is_found_by_its_coefficients() -> None:
    fit = store_potential(FIT, seed=4)
    run = store_run(fit)
    assert list(runs_with([fit.outputs.files.coeff.uuid], None)["pk"]) == [run.pk]
    assert runs_with([fit.outputs.files.param.uuid], None).empty


def test_results_before_the_training_and_of_the_labels() -> None:
    store_other_run("SevenNet-0", 3e-5, PARENT_SHA256)
    store_other_run("QE PBEsol", 1e-5, None)
    before, labels = results_of_weights(PARENT_SHA256, ["Li2O"]), results_at("QE PBEsol", ["Li2O"])
    assert list(before["tracer_diffusivity_cm2_s"]) == [3e-5]
    assert list(labels["tracer_diffusivity_cm2_s"]) == [1e-5]
    assert results_of_weights(PARENT_SHA256, ["Li3N"]).empty
    assert results_at("QE PBEsol", ["Li3N"]).empty


def test_atoms_of_predictions_have_element_temperature_and_split() -> None:
    job = store_potential()
    made = predictions(job.outputs.report.uuid, job.inputs.dataset.uuid)
    assert made is not None
    assert made.reference.shape == made.predicted.shape == (240, 3)
    assert made.parent is not None
    assert list(made.element[:12]) == ["Li"] * 8 + ["O"] * 4
    assert set(made.temperature[made.split == "test"]) == {"1500 K"}
    assert (made.split == "train").sum() == 7 * 12
    assert (made.split != "train").sum() == 13 * 12
    alone = predictions(job.outputs.report.uuid, None)
    assert alone is not None
    assert set(alone.element) == set(alone.split) == {"unknown"}
    assert predictions(job.inputs.dataset.uuid, None) is None


def test_frames_of_a_watched_run_have_times() -> None:
    run = store_run(store_potential())
    attributes, arrays = watch_arrays(watches_of([run.pk])["uuid"].iloc[0])
    assert attributes["bounds_A"]["Li-O"] == 1.6
    np.testing.assert_allclose(arrays["times_ps"], np.arange(40) * 0.1)
    assert watch_arrays("00000000-0000-0000-0000-000000000000") == ({}, {})


def test_attributes_that_are_not_what_they_should_be_cost_their_cell_alone(aiida_profile_clean: Profile) -> None:
    job = store_potential()
    uuids = job.uuid, job.outputs.report.uuid, job.inputs.dataset.uuid
    store_student()
    stored = read_nodes()
    for value in ('"x"', "[1]", "1e400", "{}", '{"test": {"forces": [1], "energies": 3}}', "null"):
        if value == "1e400" and aiida_profile_clean.storage_backend == "core.psql_dos":
            continue  # PostgreSQL stores none
        check_table_with(value, uuids)
        write_nodes(stored)


def check_table_with(value: str, uuids: tuple[str, str, str]) -> None:
    """Read the table where attributes of these names have this value."""
    for name in ("errors", "errors_of_parent", "compositions", "parent", "n_weights", "sha256", "sources", "seed"):
        poison_all(name, value)
    with counting_unreadable():
        table = queries.trainings()
    assert len(table) == 4
    assert table.set_index("uuid").loc[uuids[0], "n_train"] == 7
    assert table["held_out_force_mae_eV_A"].isna().all()
    predictions(*uuids[1:])


def test_cells() -> None:
    assert formulas([{"Li": 8, "O": 4}, {"Li": 1, "Xx": 1}, {"Li": 1.5}, 3]) == "Li2O"
    assert formulas("Li2O") is None
    assert held_out_errors({"validation": {"forces": {"mae_eV_A": 0.1, "slope": "steep"}}}, None) == {
        "held_out_split": "validation",
        "held_out_force_mae_eV_A": 0.1,
        "held_out_force_rmse_eV_A": None,
        "held_out_force_slope": None,
        "held_out_energy_mae_eV_atom": None,
        "parent_force_mae_eV_A": None,
        "parent_force_slope": None,
    }
    assert state_words("finished", 400) == "stopped early [400]"
    assert state_words("finished", 0) == "finished"


def test_more_trainings_are_not_more_statements() -> None:
    training.fill()
    with statements() as few:
        queries.trainings()
    for seed in range(30, 34):
        store_potential(seed=seed)
    with statements() as many:
        queries.trainings()
    assert len(many) == len(few) <= 20


def test_a_result_of_a_student_says_how_far_that_is_from_its_teacher() -> None:
    chain = store_student()
    first, last = sorted(chain.called, key=lambda job: job.pk)
    for job, n_reports in ((last, 1), (first, 0), (store_potential(FIT, seed=9), 0)):
        run = store_run(job)
        fit = results_of([run.pk]).iloc[0]
        node = orm.load_node(int(fit["pk"]))
        text = describe(node)
        assert len(students_behind(ancestors(node))) == n_reports
        assert ("diffusivity of the student over the teacher's: 0.9 [0.6, 1.3]" in text) == bool(n_reports)
    assert "Student:" not in describe(chain.outputs.report)
