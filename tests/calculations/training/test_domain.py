"""A trained potential refuses what it was not trained on, in every job that would load it."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.mlip.relax import MlipRelaxCalculation
from aiida_ion.calculations.training.domain import validate_domain

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
SAFE = (2).to_bytes(8, "little") + b"{}"
LI2O = ["Li", "Li", "O"]


def potential(**changes: Any) -> orm.SinglefileData:
    node = orm.SinglefileData.from_bytes(SAFE, filename="potential.pth")
    attributes = {
        "elements": ["Li", "O"],
        "compositions": [{"Li": 16, "O": 8}],
        "dataset_uuid": "x",
        "sha256": "a" * 64,
    }
    node.base.attributes.set_many(attributes | changes)
    return node


def test_one_composition_is_that_of_any_of_its_cells() -> None:
    assert validate_domain(potential(), [LI2O, LI2O * 4]) is None
    assert "trained on Li2O alone" in str(validate_domain(potential(), [LI2O, ["Li", "O"]]))
    assert "knows nothing of S" in str(validate_domain(potential(), [["Li", "Li", "S"]]))


def test_several_compositions_allow_others_of_their_elements() -> None:
    several = potential(compositions=[{"Li": 2, "O": 1}, {"Li": 2, "O": 2}])
    assert validate_domain(several, [["Li", "Li", "Li", "O"]]) is None
    assert "knows nothing of F" in str(validate_domain(several, [["Li", "F"]]))


def test_a_copy_of_the_file_has_the_same_limits() -> None:
    potential().store()
    copy = orm.SinglefileData.from_bytes(SAFE, filename="other.pth")
    copy.base.attributes.set("sha256", "a" * 64)
    assert "trained on Li2O alone" in str(validate_domain(copy, [["Li", "O"]]))
    assert validate_domain(orm.SinglefileData.from_bytes(SAFE, filename="published.pth"), [["Li", "O"]]) is None


@pytest.mark.parametrize("job", [MlipMdCalculation, MlipRelaxCalculation])
def test_jobs_refuse_another_composition_before_they_are_submitted(python_code: Any, job: Any) -> None:
    inputs: dict[str, Any] = {
        "code": python_code("ion.mlip_md"),
        "potential": orm.Dict({"name": "sevenn"}),
        "checkpoint": potential(),
        "structure": orm.StructureData(ase=bulk("LiO", "rocksalt", a=4.2)),
        "parameters": orm.Dict({"temperature_K": 300.0, "timestep_fs": 1.0, "n_steps": 5, "sample_every": 1}),
    }
    if job is MlipRelaxCalculation:
        inputs["parameters"] = orm.Dict({})
    with pytest.raises(ValueError, match="trained on Li2O alone"):
        run_get_node(job, **inputs)
