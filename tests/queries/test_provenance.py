"""From a number back to its origin, and the files of nodes, in the archive of a small campaign."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.queries import provenance
from aiida_ion.queries.reading import files
from tests.queries.test_details import conductivity


@pytest.fixture
def number(campaign: Path) -> str:
    """Return the conductivity whose runs were extended."""
    return conductivity("CaF2", "classical/Gillan-1986", "not_measurable")


def test_a_number_leads_to_structure_potential_and_raw_files(number: str) -> None:
    path = provenance.path_of(number)
    assert path.is_whole
    chain = next(one for one in provenance.neighbours(number)[0] if one.link_type == "return")
    process = orm.load_node(chain.uuid)
    potential = process.inputs.md.engine.potential
    result = dict(zip(path.nodes["uuid"], path.nodes["kind"], strict=True))
    assert result[process.inputs.structure.uuid] == "structure"
    assert result[potential.uuid] == "potential"
    jobs = [one for one in process.called_descendants if isinstance(one, orm.CalcJobNode)]
    # The last fits and all segments: the fits of the first round are not part of the number but of the decision.
    runs = [job for job in jobs if job.process_type.endswith("ion.lammps_md")]
    assert len(runs) == 8
    for job in runs:
        assert result[job.uuid] == "job"
        assert result[job.outputs.retrieved.uuid] == "files"
        assert result[job.outputs.trajectory.uuid] == "trajectory"
    assert result[number] == "result"
    assert path.nodes["uuid"].iloc[0] == number
    assert path.nodes["uuid"].is_unique


def test_links_are_those_of_the_graph(number: str) -> None:
    path = provenance.path_of(number)
    pks = set(path.nodes["pk"])
    for source, target, label in path.edges.itertuples(index=False):
        assert {source, target} <= pks
        assert label in [link.link_label for link in orm.load_node(target).base.links.get_incoming(
            orm.Node).all() if link.node.pk == source]  # fmt: skip
    joined = set(path.edges["source"]) | set(path.edges["target"])
    assert joined == pks


def test_a_path_has_bounds(number: str) -> None:
    short = provenance.path_of(number, max_nodes=10)
    assert not short.is_whole
    assert len(short.nodes) - (short.nodes["role"] == "retrieved").sum() <= 10
    assert set(short.edges["source"]) | set(short.edges["target"]) <= set(short.nodes["pk"])
    with pytest.raises(ValueError, match="there is no node with the UUID 'nowhere' here"):
        provenance.path_of("nowhere")


def test_what_made_a_node_and_what_became_of_it(number: str) -> None:
    before, after = provenance.neighbours(number)
    assert {one.link_type for one in before} == {"create", "return"}
    assert after == []
    structure = next(
        row.uuid for row in provenance.path_of(number).nodes.itertuples() if row.kind == "structure" and row.step > 7
    )
    assert {one.label for one in provenance.neighbours(structure)[1]} >= {"structure"}
    facts = provenance.facts_of(number)
    assert facts["attributes"]["verdict"] == "not_measurable"
    assert facts["node_type"] == "data.core.array.ArrayData."


def job_of(number: str) -> orm.CalcJobNode:
    nodes = provenance.path_of(number).nodes
    return orm.load_node(nodes.loc[nodes["process_type"] == "aiida.calculations:ion.lammps_md", "uuid"].iloc[0])


def test_files_of_a_job_can_be_listed_and_read(number: str) -> None:
    job = job_of(number)
    listed = files.files_of(job.uuid)
    assert {one.path for one in listed if one.uuid == job.uuid} >= {"_aiidasubmit.sh"}
    retrieved = job.outputs.retrieved
    assert {one.path for one in listed if one.uuid == retrieved.uuid} == set(
        retrieved.base.repository.list_object_names()
    )
    content = files.read_file(job.uuid, "_aiidasubmit.sh")
    assert content == job.base.repository.get_object_content("_aiidasubmit.sh", mode="rb")
    with pytest.raises(ValueError, match="has no file '../../etc/passwd'"):
        files.read_file(job.uuid, "../../etc/passwd")
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        files.read_file(job.uuid, "_aiidasubmit.sh", max_bytes=10)


def test_inputs_and_outputs_are_packed(number: str) -> None:
    job = job_of(number)
    with zipfile.ZipFile(io.BytesIO(files.zip_of(job.uuid, "inputs"))) as packed:
        names = packed.namelist()
        assert packed.testzip() is None
        assert {"written/_aiidasubmit.sh", "potential/attributes.json", "structure/attributes.json"} <= set(names)
        text = json.loads(packed.read("potential/attributes.json"))
        assert text["attributes"]["name"] == "gillan-caf2-1986"
        assert text["uuid"] == job.inputs.potential.uuid
    with zipfile.ZipFile(io.BytesIO(files.zip_of(job.uuid, "outputs"))) as packed:
        assert packed.read("trajectory/steps.npy") == job.outputs.trajectory.base.repository.get_object_content(
            "steps.npy", mode="rb"
        )
        assert any(name.startswith("retrieved/") for name in packed.namelist())
    with zipfile.ZipFile(io.BytesIO(files.zip_of(number, "outputs"))) as packed:
        assert "node/attributes.json" in packed.namelist()
    with pytest.raises(ValueError, match="side must be one of inputs, outputs"):
        files.zip_of(job.uuid, "all")


def test_what_is_too_large_is_left_out_and_named(number: str) -> None:
    job = job_of(number)
    with zipfile.ZipFile(io.BytesIO(files.zip_of(job.uuid, "outputs", max_bytes=60_000))) as packed:
        assert sum(info.file_size for info in packed.infolist() if info.filename != "LEFT_OUT.txt") <= 60_000
        assert "trajectory/positions.npy" not in packed.namelist()
        assert f"trajectory/positions.npy of node {job.outputs.trajectory.uuid}" in packed.read("LEFT_OUT.txt").decode()


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("written/in.lammps", "written/in.lammps"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\x", "C_/Windows/x"),
        ("a/./b/.../c", "a/b/c"),
        ("<b>\x00\u202e", "_b___"),
        ("..", "file"),
        ("a" * 500, "a" * 120),
    ],
)
def test_names_in_a_zip_stay_in_their_folder(path: str, safe: str) -> None:
    assert files.safe_name(path) == safe
