"""MD settings are refused with a sentence that names the setting."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.values import SettingsError

GOOD: dict[str, Any] = {"temperature_K": 800, "timestep_fs": 2.0, "n_steps": 1000}


def test_settings_survive_the_round_trip() -> None:
    settings = MdSettings.from_dict(GOOD | {"keep": ["velocities"], "equilibration_fs": 100.0})
    assert MdSettings.from_dict(settings.to_dict()) == settings
    assert settings.total_time_fs == 2000.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature_K": 0}, "temperature_K must be a number from 1 to 10,000 K"),
        ({"temperature_K": -300.0}, "temperature_K must be a number from 1 to 10,000 K"),
        ({"temperature_K": float("nan")}, "temperature_K must be a number from 1 to 10,000 K"),
        ({"timestep_fs": 0.0}, "timestep_fs must be a number from 0.001 to 100 fs"),
        ({"timestep_fs": -1.0}, "timestep_fs must be a number from 0.001 to 100 fs"),
        ({"n_steps": 0}, "n_steps must be a whole number from 1"),
        ({"n_steps": 10.5}, "n_steps must be a whole number from 1"),
        ({"sample_every": 0}, "sample_every must be a whole number from 1"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"ensemble": "nvx"}, "ensemble must be one of nve, nvt, npt"),
        ({"thermostat": "berendsen"}, "thermostat must be one of csvr"),
        ({"keep": ["stress"]}, "keep must be .* velocities, forces, got .stress"),
        ({"equilibration_fs": 2000.0}, "leaves nothing of a run of 2000 fs"),
        ({"pressure_GPa": float("inf")}, "pressure_GPa must be a number from -1,000"),
        ({"temprature_K": 3}, "unknown MD setting temprature_K: did you mean temperature_K"),
        ({"timestep_fs": 1e-300}, "timestep_fs must be a number from 0.001"),
        ({"timestep_fs": "2.0"}, "got the text .2.0.: write 2.0 without quotes"),
        ({"timestep_fs": True}, "got true"),
        ({"seed": 10**23}, "seed must be a whole number from 0 to 9,007,199,254,740,991"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        MdSettings.from_dict(GOOD | change)


def test_missing_settings_are_named() -> None:
    with pytest.raises(SettingsError, match="lack timestep_fs, n_steps"):
        MdSettings.from_dict({"temperature_K": 300})
