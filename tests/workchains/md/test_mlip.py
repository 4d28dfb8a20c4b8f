"""A checkpoint of one's own, as a file of the database, through the work chain."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from tests.conftest import OPTIONS


@pytest.mark.usefixtures("aiida_profile_clean")
def test_mace_from_a_file_of_the_database(python_code: Any, tiny_mace: Path) -> None:
    copper = bulk("Cu", "fcc", a=3.8, cubic=True)
    copper.rattle(0.05, seed=1)
    checkpoint = orm.SinglefileData(tiny_mace)
    trusted = [hashlib.sha256(tiny_mace.read_bytes()).hexdigest()]
    node = run_get_node(
        MlipMdWorkChain,
        structure=orm.StructureData(ase=copper),
        parameters=orm.Dict({"temperature_K": 300.0, "timestep_fs": 1.0, "n_steps": 5, "sample_every": 1}),
        engine={
            "code": python_code("ion.mlip_md", "mace"),
            "potential": orm.Dict({"name": "mace", "trusted_sha256": trusted}),
            "checkpoint": checkpoint,
            "metadata": {"options": OPTIONS},
        },
    )[1]
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.versions["checkpoint"]["sha256"]
    assert result == hashlib.sha256(tiny_mace.read_bytes()).hexdigest()
    assert node.inputs.engine.checkpoint.uuid == checkpoint.uuid
    assert MlipMdWorkChain.level_of_theory({"potential": node.inputs.engine.potential, "checkpoint": checkpoint}) == (
        "MACE tiny.model"
    )
    # The checkpoint is in the database once: as the node, not among the files of the job.
    job = node.outputs.versions.creator
    assert not [name for name in job.base.repository.list_object_names() if name.endswith(".model")]
    assert node.outputs.versions["checkpoint"]["loaded_as"] == "code trusted by the user"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_file_that_runs_code_is_refused_before_anything_is_submitted(python_code: Any, tmp_path: Path) -> None:
    (tmp_path / "evil.model").write_bytes(pickle.dumps(print))
    builder = MlipMdWorkChain.get_builder()
    builder.structure = orm.StructureData(ase=bulk("Cu", "fcc", a=3.8, cubic=True))
    builder.parameters = orm.Dict({"temperature_K": 300.0, "timestep_fs": 1.0, "n_steps": 5, "sample_every": 1})
    with pytest.raises(ValueError, match=r"evil.model is a pickle that imports builtins.print"):
        builder.engine = {
            "code": python_code("ion.mlip_md"),
            "potential": orm.Dict({"name": "mace"}),
            "checkpoint": orm.SinglefileData(tmp_path / "evil.model"),
            "metadata": {"options": OPTIONS},
        }
    assert orm.QueryBuilder().append(orm.ProcessNode).count() == 0
