"""``ion.training``: real committees of a few frames."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.workchains.training.workchain import TrainingWorkChain
from tests.calculations.training.lithia import dataset

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_a_committee(python_code: Any) -> None:
    code = python_code("ion.train", "sevenn")
    parameters = orm.Dict({"family": "sevenn", "protocol": "test"})
    node = run_get_node(TrainingWorkChain, code=code, dataset=dataset(), parameters=parameters, n_members=orm.Int(2))[1]
    assert node.is_finished_ok, node.exit_message
    print(
        node.outputs.report.base.attributes.all["committee"], node.outputs.report.get_arraynames(), list(node.outputs)
    )
