"""Files of nodes at their addresses: a browser saves them and runs none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aiida import orm

from aiida_ion.dashboards import downloads
from aiida_ion.dashboards.app import Source, create_app


@pytest.fixture
def client(campaign: Path) -> Any:
    return create_app(Source(campaign.name, is_archive=True)).server.test_client()


def job() -> Any:
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": {"like": "%lammps_md"}})
    return query.first(flat=True)


def test_a_file_is_saved_and_never_shown(client: Any) -> None:
    node = job()
    answer = client.get(downloads.file_address(node.uuid, "_aiidasubmit.sh"))
    assert answer.status_code == 200
    assert answer.data == node.base.repository.get_object_content("_aiidasubmit.sh", mode="rb")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''_aiidasubmit.sh"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_inputs_and_outputs_come_as_zip(client: Any) -> None:
    node = job()
    for side, member in (("inputs", "structure/attributes.json"), ("outputs", "trajectory/positions.npy")):
        answer = client.get(downloads.zip_address(node.uuid, side))
        assert answer.status_code == 200
        assert member in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()


@pytest.mark.parametrize(
    "address",
    [
        downloads.file_address("nowhere", "x"),
        downloads.zip_address("nowhere", "inputs"),
        "/download/file",
        "/download/zip?uuid=%3Cscript%3E&side=<b>",
    ],
)
def test_what_is_not_there_is_a_plain_sentence(client: Any, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_no_path_leaves_the_node(client: Any) -> None:
    for path in ("../../etc/passwd", "/etc/passwd", "_aiidasubmit.sh/../x", ""):
        assert client.get(downloads.file_address(job().uuid, path)).status_code == 404
