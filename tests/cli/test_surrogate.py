"""``aiida-ion surrogate`` on real runs, and on nodes made by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.surrogate.arrays import KINDS
from aiida_ion.calculations.surrogate.dataset import MIXABLE
from aiida_ion.campaigns.surrogate_candidates import find_candidates, force_calls, temperatures
from aiida_ion.campaigns.surrogate_sampling import check
from aiida_ion.campaigns.surrogate_structures import sampling_of
from aiida_ion.cli import surrogate
from aiida_ion.cli.text.surrogates import describe_predictions, describe_report
from aiida_ion.queries import Selection
from aiida_ion.surrogate.settings import PROTOCOLS, SPLITS
from tests.calculations.surrogate_nodes import dataset
from tests.cli.conftest import Invoke, only_line

SAMPLING: dict[str, Any] = {"kinds": list(KINDS), "seed": 1}


def report(**changes: Any) -> orm.ArrayData:
    """Return the report of a training."""
    arm = {"r2": 0.7, "r2_clip_1e-2": 0.6, "r2_clip_1e-4": 0.5, "mae_dex": 0.3, "spearman": 0.8, "auc": None}
    attributes = {
        "protocol": "best",
        "split": "prototype",
        "n_folds": 5,
        "n_repeats": 2,
        "temperature_K": 1000.0,
        "n_materials": 40,
        "n_censored": 7,
        "r2_clip_1e-2": 0.6,
        "r2_clip_1e-4": 0.5,
        "noise_ceiling_r2_clip_1e-2": 0.93,
        "noise_ceiling_r2_clip_1e-4": 0.95,
        "coverage95": 0.95,
        "conformal_halfwidth_dex": 0.8,
        "verdict": "it beats all its controls",
        "arms": [
            arm | {"arm": "model", "kind": "model", "seconds": 90.0},
            arm | {"arm": "random_vectors", "kind": "control", "r2": 0.4, "gap": 0.3, "gap_ci95": [0.1, 0.5]},
        ],
    }
    node = orm.ArrayData()
    node.base.attributes.set_many(attributes | changes)
    node.set_array("arm_predictions", np.zeros((2, 40)))
    return node.store()


@pytest.fixture
def imported(campaign_archive: Path, aiida_profile_clean: object) -> None:
    """Take over real runs into a profile that can be written to."""
    from aiida.tools.archive import import_archive

    import_archive(campaign_archive)


@pytest.mark.usefixtures("imported")
@pytest.mark.slow
def test_materials_behind_real_results() -> None:
    candidates = find_candidates(Selection(), SAMPLING)
    by_title = {candidate.title: candidate for candidate in candidates.candidates}
    fluorite = next(item for title, item in by_title.items() if title.startswith("CaF2 / classical/Gillan"))
    inputs = fluorite.inputs
    assert inputs["forces"]["entry_point"].value == "ion.lammps_forces"
    assert inputs["forces"]["engine"]["potential"].get_dict() == {"name": "gillan-caf2-1986"}
    assert inputs["md"]["entry_point"].value == "ion.md.lammps"
    assert {"seed", "n_steps", "temperature_K"}.isdisjoint(inputs["md"]["parameters"].get_dict())
    # The segments of one replica, of the very cell that was simulated.
    assert {name.partition("_segment")[0] for name in inputs["trajectories"]} == {"replica_00"}
    symbols = next(iter(inputs["trajectories"].values())).base.attributes.get("symbols")
    assert len(symbols) == len(inputs["structure"].sites)
    assert fluorite.about["label_steps"] > 0 and fluorite.label is not None
    check(candidates.candidates)
    # A run far off its temperature is not a label.
    assert all("differs from the target" in why or "drifts" in why for _, why in candidates.refused)
    assert [title.partition(" (")[0] for title, _ in candidates.refused if title.startswith("Ar /")]


@pytest.mark.usefixtures("imported")
def test_the_temperature_of_the_labels_is_one() -> None:
    everything = find_candidates(Selection(), SAMPLING)
    hot = max(item.inputs["parameters"].get_dict()["temperature_K"] for item in everything.candidates)
    chosen = find_candidates(Selection(temperature_K=temperatures(hot)), SAMPLING, max_materials=1)
    assert [item.inputs["parameters"].get_dict()["temperature_K"] for item in chosen.candidates] == [hot]


def test_force_calls_are_counted() -> None:
    assert force_calls({"temperature_K": 1000.0}, 2.0) == {"displaced": 30, "trajectory": 20, "short_md": 550}
    assert force_calls({"temperature_K": 1000.0, "kinds": ["displaced"]}, 2.0) == {"displaced": 30}


def test_an_empty_profile_says_so_in_one_line(invoke: Invoke) -> None:
    line = only_line(invoke("surrogate", "dataset", "--dry-run", code=1))
    assert "no result can be used for training" in line
    assert "there is no group 'absent'" in only_line(
        invoke("surrogate", "dataset", "--dry-run", "--from-group", "absent", code=1)
    )


def test_what_is_no_surrogate_is_said(invoke: Invoke) -> None:
    pk = orm.Int(1).store().pk
    assert "is not a dataset, training" in only_line(invoke("surrogate", "show", pk, code=1))
    assert "there is no node 99" in only_line(invoke("surrogate", "show", 99, code=1))
    result = invoke("surrogate", "predict", pk, code=2)
    assert "either structures or --dataset" in result.stderr
    assert "structures need --engine" in invoke("surrogate", "predict", pk, "Li3N.cif", code=2).stderr


def test_a_dataset_and_a_report_are_shown(invoke: Invoke) -> None:
    output = invoke("surrogate", "show", dataset(4).pk).output
    assert "4 materials, 36 configurations, 1 labels are upper bounds" in output
    assert "mobile Li, no labels" in invoke("surrogate", "show", dataset(2, labelled=False).pk).output
    output = invoke("surrogate", "show", report().pk).output
    assert "random vectors" in output and "0.3 [0.1, 0.5]" in output
    assert "clip 1e-2 angstrom^2/ps: model 0.6, noise ceiling 0.93" in output
    assert "95 % of held-out materials" in output and output.strip().endswith("it beats all its controls")
    assert "noise ceiling -" in describe_report(report(**{"noise_ceiling_r2_clip_1e-2": None}))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_predictions_are_shown_with_their_intervals() -> None:
    node = orm.ArrayData()
    item = {
        "formula": "Li3N",
        "tracer_diffusivity_cm2_s": 1e-6,
        "tracer_diffusivity_ci95_cm2_s": [1e-7, 1e-5],
        "in_domain": False,
        "reason": "unlike anything learnt from",
        "seconds_forces": 60.0,
        "seconds_model": 0.5,
    }
    node.base.attributes.set_many({"temperature_K": 1000.0, "materials": [item]})
    text = describe_predictions(node.store())
    assert "1e-06 [1e-07, 1e-05]" in text and "NOTE Li3N: unlike anything learnt from" in text


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_arrays_of_a_dataset_can_be_written(tmp_path: Path) -> None:
    from aiida_ion.cli.text.surrogates import write_arrays

    npz, words = write_arrays(dataset(2), tmp_path / "out")
    with np.load(npz, allow_pickle=False) as arrays:
        assert arrays["log10_slope"].shape == (2,)
    assert [item["formula"] for item in json.loads(words.read_text())] == ["LiCl", "LiCl"]


def test_the_choices_are_those_of_the_jobs() -> None:
    assert (KINDS, tuple(PROTOCOLS), tuple(SPLITS)) == (surrogate.KINDS, surrogate.PROTOCOLS, surrogate.SPLITS)
    assert tuple(MIXABLE) == surrogate.MIXABLE


def test_a_crystal_is_sampled_as_the_model_reads_it() -> None:
    node = orm.SinglefileData(io.BytesIO(b""))
    node.base.attributes.set("sampling", {"kinds": ["displaced"], "amplitudes_A": {"0.1": 4}, "seed": 3})
    assert sampling_of(node) == {"kinds": ["displaced"], "amplitudes_A": {"0.1": 4}, "seed": 3}
    node.base.attributes.set("sampling", {"kinds": ["trajectory"]})
    with pytest.raises(ValueError, match="frames of a long run"):
        sampling_of(node)
