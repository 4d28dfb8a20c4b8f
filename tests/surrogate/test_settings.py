"""Settings and protocols of surrogates."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.surrogate.settings import PROTOCOLS, Settings, amplitudes_read, changed, kinds_read, protocol_settings


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_settings_survive_json(protocol: str) -> None:
    settings = protocol_settings(protocol)
    assert Settings.from_dict(settings.to_dict()) == settings


def test_the_restricted_model_is_the_published_one() -> None:
    baseline, restricted = PROTOCOLS["baseline"], PROTOCOLS["restricted"]
    assert restricted.scalars * 5 == baseline.scalars * 3
    assert restricted.vectors * 5 == baseline.vectors * 3
    assert restricted.n_samplings == 5 * baseline.n_samplings
    assert (baseline.clip_log10, restricted.clip_log10, PROTOCOLS["trajectory"].clip_log10) == (-4, -2, -2)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"n_epoch": 3}, "unknown setting n_epoch"),
        ({"n_epochs": 0}, "n_epochs must be at least 1"),
        ({"n_epochs": 2.5}, "n_epochs cannot be 2.5"),
        ({"n_epochs": True}, "n_epochs cannot be True"),
        ({"cutoff_A": -1}, "must be positive"),
        ({"cutoff_A": float("nan")}, "cutoff_A cannot be nan"),
        ({"kind": "guessed"}, "kind must be of"),
        ({"inputs": ["velocities"]}, "inputs must be of"),
        ({"inputs": "accelerations"}, "inputs cannot be"),
        ({"invariants": ["luck"]}, "invariants must be of"),
        ({"inputs": ["later_motion"]}, "no later motion"),
        ({"dropout": 1.0}, "dropout below 1"),
    ],
)
def test_settings_that_cannot_be_used(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        protocol_settings("baseline", overrides)


def test_an_unknown_protocol_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="baseline, restricted, trajectory, best"):
        protocol_settings("fast")


def test_a_whole_number_will_do_for_a_float() -> None:
    assert changed(Settings(), {"cutoff_A": 4}).cutoff_A == 4.0


def test_what_a_model_reads() -> None:
    assert kinds_read(PROTOCOLS["baseline"]) == ["displaced"]
    assert amplitudes_read(PROTOCOLS["restricted"]) == {0.1: 20}
    assert kinds_read(PROTOCOLS["trajectory"]) == ["trajectory"]
    assert kinds_read(PROTOCOLS["best"]) == ["displaced", "short_md"] and amplitudes_read(PROTOCOLS["best"]) is None
    # Every amplitude counts for graphs of all, and for numbers that are made of them.
    assert amplitudes_read(Settings(amplitudes_A=())) is None
    assert amplitudes_read(Settings(invariants=("curvature",))) is None
    assert amplitudes_read(Settings(invariants=("structure",))) == {0.1: 4}
