"""A file of an archive that is only opened is what its name says, or is not given."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from aiida import orm

from aiida_ion.archives.files import _announced, _announced_at_once, _beginning
from aiida_ion.archives.open import ArchiveError, check_archive, open_archive
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.queries.details import diffusion_arrays


def result_uuid() -> str:
    return str(orm.QueryBuilder().append(orm.ArrayData, project="uuid").first(flat=True))


@pytest.mark.usefixtures("back")
def test_honest_files_are_given(archive: Path) -> None:
    open_archive(archive)
    assert np.array_equal(diffusion_arrays(result_uuid())["default"], np.arange(5.0))


@pytest.mark.usefixtures("back")
def test_numbers_that_were_changed_are_not_given(archive: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.aiida"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            if content.startswith(b"\x93NUMPY"):
                content = content[:-40] + np.arange(5.0)[::-1].tobytes()  # as long, and with an honest header
            new.writestr(member.filename, content)
    open_archive(changed)
    uuid = result_uuid()
    with pytest.raises(ArchiveError, match=r"is not its SHA-256, which begins \w{12}; get the archive again"):
        diffusion_arrays(uuid)
    client = create_app(Source("changed", is_archive=True)).server.test_client()
    answer = client.get("/download/file", query_string={"uuid": uuid, "path": "default.npy"})
    assert answer.status_code == 404
    assert "SHA-256" in answer.text


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_quick_look_at_a_header_is_that_of_numpy(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "arrays.zip"
    plain = [np.zeros(3), np.zeros((2, 3, 4), "f4"), np.array(True), np.zeros((0, 3), "i2"), np.ones((4, 2), order="F")]
    odd = [np.zeros(2, ">f8"), np.zeros(2, "c16"), np.array(["a"]), np.zeros(2, [("a", "f4")])]
    with zipfile.ZipFile(path, "w", compression) as container:
        for number, array in enumerate([*plain, *odd]):
            buffer = io.BytesIO()
            np.save(buffer, array)
            container.writestr(f"{number}.npy", buffer.getvalue())
    with zipfile.ZipFile(path) as container, path.open("rb") as raw:
        for number, member in enumerate(container.infolist()):
            with container.open(member) as handle:
                expected = _announced(handle)
            quick = _announced_at_once(_beginning(raw, member))
            assert quick == (expected if number < len(plain) else None)
            assert expected == member.file_size


def test_many_odd_arrays_open_the_list_of_members_once(
    archive: Path, spoil: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each of them would read a list that somebody made long."""
    files, add = {}, {}
    for number in range(30):
        buffer = io.BytesIO()
        np.save(buffer, np.full(2, number, ">f8"))
        files[f"{number}.npy"] = {"k": f"{number:064x}"}
        add[f"repo/{number:064x}"] = buffer.getvalue()
    content = json.dumps({"o": files})
    sql = f"UPDATE db_dbnode SET repository_metadata = '{content}' WHERE node_type = 'data.core.array.ArrayData.'"
    path, opened = spoil(sql=sql, add=add), []
    real = zipfile.ZipFile.__init__

    def counted(self: zipfile.ZipFile, *arguments: object, **named: object) -> None:
        opened.append(1)
        real(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    check_archive(path)
    assert len(opened) < 10
