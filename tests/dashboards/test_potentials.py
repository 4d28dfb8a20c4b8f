"""The page of trained potentials, as it is laid out from synthetic trainings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from dash import dcc
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.pages import potential_cards, potential_runs, potentials
from aiida_ion.dashboards.potential_rows import parity_arrays, side_rows, student_rows, watch_facts
from aiida_ion.dashboards.potentials import cards as catalogue_cards
from aiida_ion.dashboards.state import View
from benchmarks.synthetic.training import FIT, fill, store_committee, store_potential, store_run, store_student
from tests.calculations.lammps.pod_fits import dataset, fit

HOSTILE = "<img src=x onerror='window.attacked=1'>"


@pytest.fixture(autouse=True)
def app(aiida_profile_clean: Any) -> Any:
    return create_app(Source("synthetic"))


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def graphs(component: Any) -> dict[str, Any]:
    return {one.id: one.figure for one in component._traverse() if isinstance(one, dcc.Graph)}


def names(figure: Any) -> list[str]:
    return [one.name for one in figure.data if one.name]


def test_everything_of_a_training_is_on_the_page() -> None:
    job = fill()
    page = potentials.layout(View(uuid=job.uuid, theme="light"))
    values = text(page)
    potential = job.outputs.potential
    for words in (
        *(
            "QE PBEsol by sevenn",
            "before: SevenNet-0",
            "slope of forces",
            "close to one",
            "on frames of the test",
            "842,440",
        ),
        *("Li2O only", "none is registered", potential.base.attributes.get("sha256"), "7 + 3 + 10 frames"),
        *(f"/provenance?uuid={potential.uuid}", f"/provenance?uuid={job.inputs.dataset.uuid}"),
        "2 of 40 frames flagged",
    ):
        assert words in values, words
    drawn = graphs(page)
    assert set(drawn) == {"potentials-curve", "potentials-parity", "potentials-watch", "potentials-before"}
    assert names(drawn["potentials-curve"]) == ["train", "validation"]
    assert [name.split(",")[0] for name in names(drawn["potentials-parity"])] == ["equal", "Li", "O"]
    assert names(drawn["potentials-before"]) == [
        *("before: the parent", "after the training", "level of theory of the labels"),
    ]
    after = next(one for one in drawn["potentials-before"].data if one.name == "after the training")
    assert list(after.y) == [1e-5, 1e-5]
    assert list(after.x) == ["Li₂O, 800 K", "Li₂O, 1000 K"]


def test_each_potential_has_a_card_and_what_is_not_known_is_unknown() -> None:
    job = fill()
    values = text(catalogue_cards.potential_cards())
    for words in ("unknown", "not compared with anything here", "no cost is stored", "LAMMPS: Thompson et al. 2022"):
        assert words in values, words
    assert "trained here" not in values  # of these runs no checkpoint is stored
    record = {"name": "sevenn", "model": None, "job_type": "ion.mlip_md", "has_file": True, "citation": None}
    record |= {"versions": None, "n_runs": 2, "wall_time_s": 90.0, "job_uuid": job.uuid, "levels_of_theory": "x"}
    sha256 = job.outputs.potential.base.attributes.get("sha256")
    own = text(catalogue_cards.potential_card(record | {"checkpoint_sha256": sha256}, set()))
    for words in (
        "trained here",
        f"{sha256[:12]}…",
        "7 frames",
        "QE PBEsol",
        "SevenNet-0",
        "MAE ",
        "2 runs, 90 s together",
    ):
        assert words in own, words
    assert "MPtrj" not in own and "that of its parent may apply" in own
    other = text(catalogue_cards.potential_card(record | {"checkpoint_sha256": "0" * 64}, set()))
    assert "trained here" not in other and "MPtrj" not in other


def test_the_newest_that_nothing_else_made_is_chosen_first() -> None:
    job = store_potential()
    chain = store_student()
    table = tables.table("trainings")
    assert potentials.chosen_training(table, None)["uuid"] == chain.uuid
    assert potentials.chosen_training(table, job.uuid)["uuid"] == job.uuid
    assert potentials.chosen_training(table, "<b>")["uuid"] == chain.uuid


def test_a_student_has_its_loops_and_its_verdict() -> None:
    store_student(accepted=False)
    page = potentials.layout(View(theme="dark"))
    assert "not accepted" in text(page)
    assert "diffusivity of the student over the teacher's: 0.9 [0.6, 1.3]" in text(page)
    figure = graphs(page)["potentials-loops"]
    assert names(figure) == [
        *("force error", "accepted below", "training frames", "survived", "came too close", "asked for"),
    ]
    (close,) = (one for one in figure.data if one.name == "came too close")
    assert (list(close.x), list(close.y)) == ([1], [2.5])
    assert close.text[0] == "close pair: Li-O 1.30 Å, bound 1.60 Å"
    assert "The report has no forces" not in text(page)
    assert "No run of this potential was watched." in text(page)


def test_the_parity_of_the_address(app: Any) -> None:
    job = store_potential()
    chosen = potentials.chosen_training(tables.table("trainings"), job.uuid)
    by_temperature = potential_cards.parity(View().with_options(colour="temperature"), chosen)
    assert [name.split(",")[0] for name in names(by_temperature)] == ["equal", "1500 K"]
    cold = potential_cards.parity(View().with_options(colour="temperature", frames="validation"), chosen)
    assert [name.split(",")[0] for name in names(cold)] == ["equal", "600 K"]
    before = potential_cards.parity(View().with_options(forces="before"), chosen)
    errors = [float(name.split("MAE ")[1].split(" ")[0]) for name in names(before)[1:]]
    after = [float(name.split("MAE ")[1].split(" ")[0]) for name in names(potential_cards.parity(View(), chosen))[1:]]
    assert min(errors) > 2 * max(after)
    assert potential_cards.parity_choices(View().with_options(colour="<b>", forces="x"), chosen) == (
        *("element", "after", "test"),
    )
    train = potential_cards.parity(View().with_options(frames="train"), chosen)
    assert sum(len(one.x) for one in train.data[1:]) == 7 * 12 * 3
    fit = store_potential(FIT, seed=8)
    tables.use(tables.TableCache())
    scratch = potentials.chosen_training(tables.table("trainings"), fit.uuid)
    assert "started from no parent" in text(potential_cards.parity(View().with_options(forces="before"), scratch))


def called(app: Any, output: str, *arguments: Any) -> Any:
    """Call the function behind a callback of the app."""
    (entry,) = (one for key, one in app.callback_map.items() if output in key)
    return entry["callback"].__wrapped__(*arguments)


def test_callbacks_draw_and_write_the_address(app: Any) -> None:
    job = store_potential()
    first, second = store_run(job, 800.0), store_run(job, 1000.0)
    query = View(uuid=job.uuid).query()
    figure, address, stored = called(app, "potentials-parity.figure", "temperature", "before", "test", query, "dark")
    assert "1500 K" in text(figure)
    assert address == {"path": "/potentials", "query": stored}
    assert "o.colour=temperature" in stored
    assert "o.forces=before" in stored
    assert "o.frames" not in stored
    made = potential_runs.what_was_made(potentials.chosen_training(tables.table("trainings"), job.uuid))
    assert set(made.watches["job_pk"]) == {first.pk, second.pk}
    oldest = str(made.watches["uuid"].iloc[-1])
    shown, address, _ = called(app, "potentials-watched.children", oldest, stored, None)
    assert oldest in text(shown)
    assert f"o.run={oldest}" in address["query"]
    assert "o.colour=temperature" in address["query"]
    assert potential_runs.chosen_watch(View().with_options(run="<b>"), made) == made.watches["uuid"].iloc[0]


def test_a_real_fit_has_its_row_and_its_forces(lammps_code: orm.InstalledCode) -> None:
    frames = dataset()
    job = fit(lammps_code, frames)
    assert job.is_finished_ok, job.exit_message
    (row,) = tables.table("trainings").to_dict("records")
    errors = job.outputs.report.base.attributes.get("errors")["test"]
    assert (row["level_of_theory"], row["family"], row["formula"]) == ("EMT by POD", "pod", "CuAu")
    assert (row["uuid"], row["potential_uuid"]) == (job.uuid, job.outputs.files.coeff.uuid)
    assert row["held_out_force_mae_eV_A"] == pytest.approx(errors["forces"]["mae_eV_A"])
    assert row["held_out_energy_mae_eV_atom"] == pytest.approx(errors["energies"]["mae_eV_atom"])
    assert row["n_weights"] == job.outputs.report.base.attributes.get("n_weights")
    assert row["n_train"] == frames.base.attributes.get("n_train")
    drawn = graphs(potentials.layout(View(theme="light")))
    assert names(drawn["potentials-curve"]) == ["train", "validation"]
    parity = drawn["potentials-parity"]
    by_element = errors["forces"]["mae_by_element_eV_A"]
    assert names(parity)[1:] == [f"{element}, MAE {by_element[element]:.3f} eV/Å" for element in ("Au", "Cu")]


def test_a_training_without_a_report_says_what_became_of_it() -> None:
    store_potential(state={"process_state": "finished", "exit_status": 340})
    assert "This training has no report: failed [340]." in text(potentials.layout(View()))


def test_without_trainings_the_page_says_what_to_run() -> None:
    assert "aiida-ion potential train" in text(potentials.layout(View()))
    tables.use(tables.TableCache(changes=False))
    assert "This archive holds no trained potential." in text(potentials.layout(View()))


def test_text_of_nodes_is_escaped_in_figures() -> None:
    job = store_potential(text=HOSTILE)
    store_run(job)
    for chosen in (job, store_student(text=HOSTILE)):
        tables.use(tables.TableCache())
        for name, figure in graphs(potentials.layout(View(uuid=chosen.uuid, theme="dark"))).items():
            assert "<img" not in figure.to_json().replace("\\u003c", "<"), name


def test_rows_of_nodes_that_lack_things() -> None:
    loops, runs = student_rows({"history": [{"n_train": "many", "runs": [1, {"ended": 3}]}, 7]})
    assert (len(loops), len(runs)) == (1, 1)
    assert loops["n_train"].isna().all()
    assert (runs["ended"].iloc[0], runs["words"].iloc[0]) == ("-", "-")
    assert student_rows({"history": "none"})[0].empty
    assert parity_arrays(None, "element", "after", "test") == ({}, [])
    facts = watch_facts({"pairs": 3, "bounds_A": {"Li-O": "far", "O-O": 2.0}, "flagged": [{"row": 2}, {"row": []}, 1]})
    assert facts == ([], {"O-O": 2.0}, [2], None)


def test_sides_are_compared_where_the_potential_has_results() -> None:
    columns = {"formula": "Li2O", "level_of_theory": "A", "uuid": "u", "tracer_diffusivity_upper_bound_cm2_s": np.nan}
    columns |= {f"tracer_diffusivity_ci95_{end}_cm2_s": np.nan for end in ("low", "high")}

    def results(kelvin: list[float], values: list[float], verdict: str = "moved") -> pd.DataFrame:
        table = pd.DataFrame({"target_temperature_K": kelvin, "tracer_diffusivity_cm2_s": values})
        return table.assign(verdict=verdict, **columns)

    after = results([600.0], [1e-5])
    rows = side_rows({"after": after, "before": results([600.0, 900.0], [2e-5, 9e-5])})
    assert list(rows["side"]) == ["after", "before"]
    assert list(rows["value"]) == [1e-5, 2e-5]
    still = results([600.0], [3e-9], "bound").assign(tracer_diffusivity_upper_bound_cm2_s=1e-8)
    rows = side_rows({"after": after, "before": still})
    assert pd.isna(rows["value"].iloc[1])
    assert rows["bound"].iloc[1] == 1e-8


def test_a_member_of_a_committee_has_its_spread_beside_the_error() -> None:
    chain, alone = store_committee(), store_potential(seed=50)
    member = sorted(chain.called, key=lambda job: job.pk)[0]
    figure = graphs(potentials.layout(View(uuid=member.uuid, theme="light")))["potentials-committee"]
    assert names(figure) == [
        "equal",
        *(
            name
            for split in ("train", "validation", "test")
            for name in (split, f"{split}: error is 2 times the spread")
        ),
    ]
    points = next(one for one in figure.data if one.name == "test")
    assert np.allclose(points.y, 2 * np.asarray(points.x))
    assert "potentials-committee" not in graphs(potentials.layout(View(uuid=alone.uuid)))
