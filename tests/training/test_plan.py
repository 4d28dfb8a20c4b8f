"""What is refused before a training is submitted."""

from __future__ import annotations

from typing import Any

import pytest

from aiida_ion.settings.schema import rules_of
from aiida_ion.training.families import FAMILIES, PROTOCOLS
from aiida_ion.training.plan import TrainingPlan, validate_elements, validate_plan

DATASET = {"n_train": 10, "n_validation": 4, "n_test": 4, "has_stress": False}
SEVENN = {"name": "sevenn"}


@pytest.mark.parametrize(
    ("parameters", "parent", "dataset", "words"),
    [
        ({"family": "gap"}, None, {}, "family must be one of sevenn"),
        ({"family": "sevenn", "protocol": "best"}, None, {}, "protocol must be one of"),
        ({"family": "sevenn", "seeds": 3}, None, {}, "did you mean seed"),
        ({"family": "sevenn"}, None, {}, "finetune needs a parent"),
        ({"family": "sevenn", "protocol": "scratch"}, SEVENN, {}, "leave out the parent"),
        ({"family": "chgnet", "protocol": "scratch"}, None, {}, "CHGNet has no protocol 'scratch'"),
        ({"family": "mace"}, SEVENN, {}, "MACE cannot start from sevenn"),
        ({"family": "sevenn", "dtype": "float64"}, SEVENN, {}, "trained in float32"),
        ({"family": "sevenn", "settings": {"channels": 8}}, SEVENN, {}, "channels cannot be changed"),
        ({"family": "sevenn", "settings": {"n_epoch": 8}}, SEVENN, {}, "did you mean n_epochs"),
        ({"family": "sevenn", "settings": {"force_weight": 0.0}}, SEVENN, {}, "force_weight must be above 0"),
        ({"family": "sevenn", "settings": {"energy_weight": 0.0}}, SEVENN, {}, "always trains on energies"),
        ({"family": "sevenn"}, SEVENN, {"n_validation": 0}, "no frames for validation"),
        ({"family": "sevenn"}, SEVENN, {"n_train": 0}, "no frames for training"),
        ({"family": "sevenn", "settings": {"batch_size": 11}}, SEVENN, {}, "larger than the 10 frames"),
        ({"family": "sevenn", "settings": {"stress_weight": 1.0}}, SEVENN, {}, "the dataset has no stress"),
        ({"family": "sevenn", "settings": {"replay": True}}, SEVENN, {}, "unknown training setting"),
    ],
)
def test_refused(parameters: dict[str, Any], parent: Any, dataset: dict[str, Any], words: str) -> None:
    assert words in str(validate_plan(parameters, parent, DATASET | dataset))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_protocol_of_a_family_can_be_used(name: str) -> None:
    family = FAMILIES[name]
    assert set(family.protocols) <= set(PROTOCOLS) and {"finetune", "test"} <= set(family.protocols)
    assert set(family.settings.shape) <= set(rules_of(family.settings))
    for protocol in family.protocols:
        parent = {"name": family.potential} if protocol == "finetune" or name == "chgnet" else None
        assert validate_plan({"family": name, "protocol": protocol}, parent, DATASET) is None
        settings = TrainingPlan(family=name, protocol=protocol).family_settings(parent is not None)
        assert family.settings.from_dict(settings.to_dict()) == settings


def test_elements_that_a_parent_does_not_know() -> None:
    assert "does not know P, S" in str(validate_elements(["Li", "O"], ["Li", "P", "S"], "the parent"))
    assert validate_elements(None, ["Li"], "the parent") is None
    assert validate_elements(["Li", "O"], ["Li"], "the parent") is None
