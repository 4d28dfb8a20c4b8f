"""Speeds from cost ledgers, and nothing where a ledger does not say."""

import pytest

from aiida_ion.analysis.comparison.cost_ratio import cost_per_step, speed_ratios

DFT = {"wall_time_s": 8000.0, "cpu_time_s": 512000.0, "gpu_time_s": 0.0, "n_steps": 1000, "n_atoms": 32}
MLIP = {"wall_time_s": 100.0, "cpu_time_s": 100.0, "gpu_time_s": 90.0, "n_steps": 50000, "n_atoms": 32}


def test_a_step_costs_so_much():
    text = cost_per_step(DFT | {"device": "cpu", "peak_memory_MiB": 900})
    assert text["wall_s_per_step"] == pytest.approx(8.0)
    assert text["core_s_per_step"] == pytest.approx(512.0)
    assert text["gpu_s_per_step"] == 0.0
    assert text["steps_per_s"] == pytest.approx(0.125)
    assert text["peak_memory_MiB"] == 900.0
    assert "device" not in text


def test_runs_of_other_lengths_are_compared_by_the_step():
    assert speed_ratios(DFT, MLIP) == pytest.approx({"wall_speed_ratio": 4000.0, "core_speed_ratio": 256000.0})


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"n_steps": 0}, set()),
        ({"n_steps": None}, set()),
        ({"cpu_time_s": None}, {"wall_speed_ratio"}),
        ({"wall_time_s": 0.0}, {"core_speed_ratio"}),
        ({"wall_time_s": float("nan")}, {"core_speed_ratio"}),
        ({"n_atoms": 64}, set()),
        ({"n_atoms": None}, {"wall_speed_ratio", "core_speed_ratio"}),
    ],
)
def test_what_a_ledger_does_not_say_is_not_invented(change, left):
    assert set(speed_ratios(DFT | change, MLIP)) == left
    assert set(speed_ratios(MLIP, DFT | change)) == left


def test_a_rate_that_is_all_there_is_stands():
    assert cost_per_step({"steps_per_s": 3.0}) == {"steps_per_s": 3.0}
    assert cost_per_step({}) == {}
