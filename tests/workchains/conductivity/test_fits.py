"""Which fits are due after a round."""

from __future__ import annotations

from types import SimpleNamespace

from aiida_ion.workchains.conductivity.fits import Fit, due_fits, fit_name, plan_fits, segments_of, valid_fits
from aiida_ion.workchains.conductivity.runs import Run


def run(temperature_K: float, *pks: int, seed: int = 1) -> Run:
    return Run(temperature_K=temperature_K, seed=seed, n_steps=100, pks=list(pks), ended=None)


def test_a_temperature_is_fitted_again_when_it_has_new_frames() -> None:
    runs = [run(800.0, 1, 5), run(700.0, 2), run(600.0)]
    plans = plan_fits(runs)
    assert list(plans) == ["T_0700K", "T_0800K"]
    fits = {
        "T_0700K": Fit(temperature_K=700.0, runs=[[2]], pk=11),
        "T_0800K": Fit(temperature_K=800.0, runs=[[1]], pk=12),
        "T_0600K": Fit(temperature_K=600.0, runs=[[3]], pk=13),
    }
    assert due_fits(plans, fits) == {"T_0800K": {"temperature_K": 800.0, "runs": [[1, 5]]}}
    assert list(valid_fits(plans, fits)) == ["T_0700K", "T_0800K"], "600 K lost its only run"
    assert due_fits(plans, {}) == plans


def test_a_replica_that_was_lost_makes_a_new_fit() -> None:
    fits = {"T_0700K": Fit(temperature_K=700.0, runs=[[1], [2]], pk=11)}
    plans = plan_fits([run(700.0, seed=1), run(700.0, 2, seed=2)])
    assert due_fits(plans, fits)["T_0700K"]["runs"] == [[2]]


def test_segments_are_numbered_through_the_rounds_of_each_replica() -> None:
    first, second, other = (
        SimpleNamespace(outputs=SimpleNamespace(trajectories=dict.fromkeys(names)))
        for names in (("segment_001", "segment_000"), ("segment_000",), ("segment_000",))
    )
    segments = segments_of([[first, second], [other]])
    assert segments == {
        "replica_00_segment_000": (first, "segment_000"),
        "replica_00_segment_001": (first, "segment_001"),
        "replica_00_segment_002": (second, "segment_000"),
        "replica_01_segment_000": (other, "segment_000"),
    }


def test_link_labels_say_the_round_from_the_second_on() -> None:
    assert [fit_name("T_0700K", number) for number in (1, 2)] == ["fit_T_0700K", "fit_T_0700K_round_2"]
