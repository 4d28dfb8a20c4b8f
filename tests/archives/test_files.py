"""Arrays of an archive that are traps: pickles, and headers that announce more than there is."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.manage import get_manager
from aiida.storage.sqlite_zip.backend import SqliteZipBackend

from aiida_ion.archives.importing import import_archive
from aiida_ion.archives.open import ArchiveError, check_archive

Spoil = Callable[..., Path]


@pytest.fixture
def with_array(spoil: Spoil) -> Callable[[bytes], Path]:
    """Return a factory of archives whose array has this content."""

    def make(content: bytes) -> Path:
        key = hashlib.sha256(content).hexdigest()
        files = json.dumps({"o": {"default.npy": {"k": key}}})
        sql = f"UPDATE db_dbnode SET repository_metadata = '{files}' WHERE node_type = 'data.core.array.ArrayData.'"
        return spoil(sql=sql, add={f"repo/{key}": content})

    return make


def saved(array: Any, **more: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


def test_an_honest_array(with_array: Callable[[bytes], Path]) -> None:
    for array in (
        np.arange(7.0),
        np.zeros((0, 3)),
        np.float32(1.0),
        np.zeros((2, 3), dtype=[("a", "f4"), ("b", "i8")]),
    ):
        check_archive(with_array(saved(array)))


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }"


def announcing(n: bytes) -> bytes:
    header = HEADER % n
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\x00" * 80


def test_an_array_that_says_what_it_has(with_array: Callable[[bytes], Path]) -> None:
    check_archive(with_array(announcing(b"10")))


@pytest.mark.parametrize("n", [b"1000000000000", b"9", b"-1", b"10000000000000000000000000"])
def test_an_array_that_announces_another_size(with_array: Callable[[bytes], Path], n: bytes) -> None:
    with pytest.raises(ArchiveError, match="an array that should have"):
        check_archive(with_array(announcing(n)))


@pytest.mark.parametrize(
    "content", [b"", b"no array", b"\x93NUMPY\x09\x00", announcing(b"__import__('os').abort()"), announcing(b"(" * 500)]
)
def test_no_array(with_array: Callable[[bytes], Path], content: bytes) -> None:
    with pytest.raises(ArchiveError, match="an array that cannot be read"):
        check_archive(with_array(content))


@pytest.mark.usefixtures("back")
def test_a_pickle_in_the_place_of_an_array(with_array: Callable[[bytes], Path], tmp_path: Path) -> None:
    trap = tmp_path / "harmed"

    class Harm:
        def __reduce__(self) -> Any:
            return (Path.touch, (trap,))

    path = with_array(saved(np.array([Harm()], dtype=object), allow_pickle=True))
    for use in (check_archive, import_archive):
        with pytest.raises(ArchiveError, match="would have to be unpickled"):
            use(path)
    # Nor would AiiDA load it, if someone opened the archive without us.
    get_manager().load_profile(SqliteZipBackend.create_profile(path), allow_switch=True)
    (node,) = orm.QueryBuilder().append(orm.ArrayData).all(flat=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        node.get_array()
    assert not trap.exists()
