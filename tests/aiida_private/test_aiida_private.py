"""What is relied on beyond the public interface of aiida-core; after an upgrade these say what changed."""

from __future__ import annotations

import importlib.metadata
import io
from typing import Any

import aiida
import numpy as np
import pytest
from aiida import orm
from aiida.plugins import CalculationFactory

from aiida_ion.aiida_private.builders import builder_inputs, set_inputs, validate_builder
from aiida_ion.aiida_private.caching import CACHED_FROM, HASH, hash_before_storing
from aiida_ion.aiida_private.folders import remove_folder
from aiida_ion.aiida_private.pw_inputs import pw_input_text
from aiida_ion.aiida_private.storage import database_session, file_repository, object_sizes, query_statement
from aiida_ion.aiida_private.trajectories import accept_float32

pytestmark = pytest.mark.usefixtures("aiida_profile")


def test_this_was_written_for_the_installed_aiida() -> None:
    assert aiida.__version__.startswith("2.9."), "read aiida_ion/aiida_private again, then name the new version here"


def test_a_builder_gives_its_inputs_and_what_its_submission_would_refuse() -> None:
    builder = CalculationFactory("core.arithmetic.add").get_builder()
    assert "x" in str(validate_builder(builder))
    set_inputs(builder, {"x": orm.Int(1), "metadata": {"options": {"resources": {"num_machines": 1}}}})
    inputs = builder_inputs(builder)
    assert inputs["x"].value == 1
    assert inputs["metadata"]["options"]["resources"] == {"num_machines": 1}
    assert "monitors" not in inputs, "empty namespaces are left out"


def test_single_precision_is_stored_and_cloned_and_other_checks_stay() -> None:
    accept_float32()
    accept_float32()
    node = orm.TrajectoryData()
    node.set_trajectory(["Li"], np.zeros((2, 1, 3), dtype=np.float32))
    node.store()
    assert node.clone().store().get_positions().dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        orm.TrajectoryData().set_trajectory(["Li", "O"], np.zeros((2, 1, 3), dtype=np.float32))


def test_a_query_becomes_a_statement_that_the_session_runs() -> None:
    node = orm.Int(7).store()
    query = orm.QueryBuilder().append(orm.Int, filters={"id": node.pk}, project=["attributes.value"])
    with query_statement(query) as (session, statement):
        assert [tuple(row) for row in session.execute(statement).all()] == [(7,)]
    assert session is database_session()


def test_files_are_read_from_the_repository_by_their_keys() -> None:
    node = orm.SinglefileData(io.BytesIO(b"some text"), "file.txt").store()
    key = node.base.repository.metadata["o"]["file.txt"]["k"]
    repository = file_repository()
    assert list(repository.has_objects([key])) == [True]
    assert object_sizes([key]) == {key: 9}
    assert [(found, stream.read()) for found, stream in repository.iter_object_streams([key])] == [(key, b"some text")]


def test_the_hash_of_a_node_is_found_by_a_query() -> None:
    node = orm.Int(8).store()
    query = orm.QueryBuilder().append(orm.Int, filters={"id": node.pk}, project=[HASH])
    assert query.all(flat=True) == [node.base.caching.get_hash()]
    assert node.base.caching.CACHED_FROM_KEY == CACHED_FROM


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_hash_of_a_node_is_known_before_it_is_stored() -> None:
    node = orm.Dict({"a": 1})
    assert hash_before_storing(node) == node.store().base.caching.compute_hash()


def test_the_plugin_of_quantum_espresso_writes_an_input(
    lithium_oxide: orm.StructureData, quantumespresso_engine: dict[str, Any]
) -> None:
    """The method is the one that its job calls when it prepares for submission."""
    version = importlib.metadata.version("aiida-quantumespresso")
    assert version.startswith("5.1."), "read aiida_ion/aiida_private/pw_inputs.py again"
    engine = quantumespresso_engine
    namelists = engine["namelists"].get_dict() | {"CONTROL": {"calculation": "scf"}}
    pseudos = {element: pseudo.store() for element, pseudo in engine["pseudos"].items()}
    plugin = CalculationFactory("quantumespresso.pw")
    text, copies = pw_input_text(plugin, namelists, {}, pseudos, lithium_oxide, engine["kpoints"])
    assert "calculation = 'scf'" in text
    assert "K_POINTS automatic\n2 2 2 1 1 1" in text
    assert {uuid for uuid, _, _ in copies} == {pseudo.uuid for pseudo in pseudos.values()}


def test_a_remote_folder_is_emptied_and_marked(aiida_localhost: orm.Computer, tmp_path: object) -> None:
    path = f"{tmp_path}/folder"
    with aiida_localhost.get_transport() as transport:
        transport.mkdir(path)
        folder = orm.RemoteData(computer=aiida_localhost, remote_path=path).store()
        remove_folder(folder, transport)
        assert folder.is_cleaned
        assert not transport.path_exists(path)
