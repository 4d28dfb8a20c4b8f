"""`ion.surrogate_estimate`: a crystal is relaxed, sampled and predicted by a surrogate that was trained here."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.screening.readings import reading_of
from aiida_ion.calculations.surrogate.train import SurrogateTrainCalculation
from aiida_ion.workchains.surrogate_estimate import SurrogateEstimateWorkChain
from tests.calculations.surrogate_nodes import crystal, dataset
from tests.calculations.test_surrogate_jobs import TINY, model
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def choices(python_code: Any) -> dict[str, Any]:
    """Return arguments of the builder but the model: a Lennard-Jones solid of whatever elements."""
    return {
        "engine": "ion.md.mlip",
        "code": python_code("ion.mlip_md"),
        "potential": {"name": "lj", "kwargs": {"sigma": 2.2, "epsilon": 0.3, "rc": 5.0}},
        "diffusion_code": python_code("ion.diffusion"),
        "predict_code": python_code("ion.surrogate_predict"),
        "overrides": {"supercell": [1, 1, 1], "charges": {"Li": 1, "Cl": -1}, "relax": {"max_steps": 5}},
        "options": OPTIONS,
    }


def test_what_the_model_does_not_know_is_refused(choices: dict[str, Any]) -> None:
    lithium = orm.StructureData(ase=crystal())
    sampling = {"kinds": ["displaced"], "amplitudes_A": {"0.1": 1}}
    build = SurrogateEstimateWorkChain.get_builder_from_protocol
    with pytest.raises(ValueError, match="learnt from Li, and the mobile ion is Na"):
        sodium = choices["overrides"] | {"charges": {"Na": 1, "Cl": -1}}
        build(
            orm.StructureData(ase=crystal(cation="Na")),
            model=model(sampling=sampling),
            **choices | {"overrides": sodium},
        )
    with pytest.raises(ValueError, match="learnt from toy, and the engine is Lennard-Jones"):
        build(lithium, model=model(sampling=sampling), **choices)
    with pytest.raises(ValueError, match="frames of a long run"):
        build(lithium, model=model(sampling={"kinds": ["trajectory"]}), **choices)


@pytest.mark.slow
def test_a_crystal_is_predicted(choices: dict[str, Any], python_code: Any) -> None:
    training = run_get_node(
        SurrogateTrainCalculation,
        code=python_code("ion.surrogate_train", "surrogate"),
        dataset=dataset(6),
        parameters=orm.Dict({"settings": TINY, "n_folds": 2, "controls": False}),
    )[1]
    assert training.is_finished_ok, training.exit_message
    trained = training.outputs.model
    several = orm.SinglefileData.from_bytes(trained.get_content(mode="rb"), filename=trained.filename)
    several.base.attributes.set_many(trained.base.attributes.all | {"levels_of_theory": ["toy", "another"]})
    choices["predict_code"] = python_code("ion.surrogate_predict", "surrogate")
    builder = SurrogateEstimateWorkChain.get_builder_from_protocol(
        orm.StructureData(ase=crystal(4.9)), model=several, **choices
    )
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    (material,) = node.outputs.prediction.base.attributes.get("materials")
    assert material["formula"] == "LiCl"
    reading = reading_of(node.outputs.prediction, "tracer_diffusivity_cm2_s")
    if material["in_domain"]:
        assert reading.low < reading.value < reading.high
    else:
        assert reading.value is None
        assert reading.reason
