"""Plans of screenings: what is accepted, and which mistakes are named."""

from typing import Any

import pytest

from aiida_ion.screening.plan import ScreeningPlan, Stage
from aiida_ion.screening.quantities import METHODS
from aiida_ion.settings.values import SettingsError
from aiida_ion.workchains.protocols import load_protocols

BVSE = {"name": "bvse", "method": "bvse", "cut": {"quantity": "barrier_1d_eV", "maximum": 1.0}}


@pytest.mark.parametrize("protocol", sorted(load_protocols("screening")["protocols"]))
def test_protocols_are_plans(protocol: str) -> None:
    content = {k: v for k, v in load_protocols("screening")["protocols"][protocol].items() if k != "description"}
    plan = ScreeningPlan.from_dict(content)
    assert plan.stages[0].method == "gate"
    assert ScreeningPlan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (BVSE | {"method": "bond"}, "bvse"),
        (BVSE | {"name": "BVSE 1"}, "small letters"),
        (BVSE | {"engine": "sevenn"}, "uses no engine"),
        (BVSE | {"cut": {"quantity": "Xi", "minimum": 0.5}}, "bvse does not give Xi; choose from barrier_1d_eV"),
        (BVSE | {"cut": {"maximum": 0.5}}, "needs the quantity"),
        (BVSE | {"cut": {"quantity": "barrier_1d_eV", "minimum": 2, "maximum": 1}}, "swap"),
        (BVSE | {"budget": {"max_material": 3}}, "max_materials"),
        (BVSE | {"budget": {"max_materials": 0}}, "max_materials"),
        ("bvse", "a stage is a mapping"),
    ],
)
def test_mistakes_are_named(stage: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ScreeningPlan.from_dict({"mobile_species": "Li", "stages": [stage]})


def test_two_stages_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="two stages are called bvse"):
        ScreeningPlan.from_dict({"mobile_species": "Li", "stages": [BVSE, BVSE]})


def test_engine_of_a_stage() -> None:
    kinds = {name: Stage(name=name, method=name).kind_of_engine for name in METHODS}
    assert kinds["bvse"] is None
    assert kinds["pes"] == kinds["barrier"] == kinds["conductivity"] == "potential"
    assert Stage(name="aimd", method="conductivity", engine="dft").kind_of_engine == "dft"


def test_direction_of_ranking() -> None:
    conductivity = Stage.from_dict(
        {"name": "md", "method": "conductivity", "cut": {"quantity": "ionic_conductivity_mS_cm", "minimum": 0.1}}
    )
    assert conductivity.is_better(2.0, 1.0)
    assert Stage.from_dict(BVSE).is_better(1.0, 2.0)
