"""Protocols state what differs, and refuse what nothing would read."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.conductivity.builder import md_parameters
from aiida_ion.workchains.protocols import ProtocolError, available_protocols, protocol_inputs


@pytest.mark.parametrize("protocol", ["fast", "balanced", "stringent", "obelix"])
def test_every_protocol_can_be_run(protocol: str) -> None:
    assert protocol in available_protocols("conductivity")
    inputs = protocol_inputs("conductivity", protocol)
    MdSettings.from_dict(md_parameters(inputs["md"]) | {"temperature_K": inputs["temperatures_K"][0], "seed": 1})


def test_obelix_has_the_numbers_of_the_paper() -> None:
    inputs = protocol_inputs("conductivity", "obelix")
    md = md_parameters(inputs["md"])
    assert inputs["temperatures_K"] == [800, 900, 1000, 1100, 1200]
    assert (md["timestep_fs"], md["n_steps"], md["equilibration_fs"]) == (2.0, 50000, 5000.0)
    assert (md["ensemble"], md["thermostat"]) == ("nvt", "nose_hoover")
    assert (inputs["min_width_A"], inputs["supercell_rule"]) == (10.0, "edge")


def test_overrides_win_level_by_level(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text("md: {timestep_fs: 1.0}\n")
    inputs = protocol_inputs("conductivity", "fast", path)
    assert inputs["md"]["timestep_fs"] == 1.0
    assert inputs["md"]["thermostat"] == "csvr"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ProtocolError, match="unknown protocol .moderate.; choose from fast"):
        protocol_inputs("conductivity", "moderate")
    with pytest.raises(SettingsError, match="unknown override in md: timestep: did you mean timestep_fs"):
        protocol_inputs("conductivity", "fast", {"md": {"timestep": 1.0}})


def test_protocols_are_not_changed_by_use() -> None:
    first = protocol_inputs("conductivity", "fast", {"temperatures_K": [500]})
    assert first["temperatures_K"] == [500]
    assert protocol_inputs("conductivity", "fast")["temperatures_K"] == [800, 1000, 1200]
