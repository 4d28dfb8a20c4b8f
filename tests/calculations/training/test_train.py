"""``ion.train``: real trainings of a few frames, and what becomes of bad input."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.training.train import TrainCalculation
from tests.calculations.training.lithia import dataset

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def train(python_code: Any) -> Any:
    def run(family: str, data: Any, environment: str | None = None, **inputs: Any) -> orm.CalcJobNode:
        parameters = {"family": family, "protocol": "test"} | inputs.pop("parameters", {})
        code = python_code("ion.train", environment or family)
        return run_get_node(TrainCalculation, code=code, dataset=data, parameters=orm.Dict(parameters), **inputs)[1]

    return run


def test_sevenn_is_finetuned(train: Any) -> None:
    data = dataset()
    job = train("sevenn", data, parent=orm.Dict({"name": "sevenn"}))
    assert job.is_finished_ok, job.exit_message
    report, potential = job.outputs.report, job.outputs.potential
    print(report.base.attributes.all, potential.base.attributes.all, report.get_arraynames())
