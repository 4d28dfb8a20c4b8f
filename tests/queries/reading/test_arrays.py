"""Arrays in files that lie about themselves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.queries.details import diffusion_arrays
from aiida_ion.queries.reading.arrays import NotHere, read_array, read_thinned_frames

BOTH = np.arange(2)


def npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def holding(content: bytes) -> orm.Data:
    """Return a node with a file of this content where an array is looked for."""
    node = orm.Data()
    node.base.repository.put_object_from_bytes(content, "positions.npy")
    return node


def claiming(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def test_frames_are_those_of_the_array() -> None:
    array = np.arange(42.0).reshape(7, 2, 3)
    positions, numbers = read_thinned_frames(holding(npy(array)), "positions", 3, np.array([1]))
    assert numbers == [0, 3, 6]
    np.testing.assert_array_equal(positions, array[[0, 3, 6]][:, [1]])
    np.testing.assert_array_equal(read_array(holding(npy(array)), "positions"), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (claiming("(400000000, 2, 3)"), "claims 19200000000 bytes"),
        (claiming("(-1, 2, 3)"), "negative extent"),
        (npy(np.arange(24.0).reshape(4, 2, 3))[:-8], "truncated"),
        (npy(np.array([{}], dtype=object)), "not a C-ordered array of plain numbers"),
        (npy(np.asfortranarray(np.ones((4, 2, 3)))), "not a C-ordered array of plain numbers"),
        (b"not an array", "magic string"),
    ],
)
def test_what_cannot_be_an_array_is_not_read(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_array(holding(content), "positions")


def test_frames_that_are_not_there_are_not_read() -> None:
    for content, message in (
        (claiming("(400000000, 2, 3)"), "truncated"),
        (claiming("(4, 900000000, 3)"), "a frame of positions"),
        (npy(np.arange(4.0)), r"has shape \(4,\)"),
        (npy(np.ones((4, 1, 3))), r"has shape \(4, 1, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            read_thinned_frames(holding(content), "positions", 2, BOTH)


def test_a_file_that_was_left_out_is_said_to_be_absent() -> None:
    for read in (
        lambda: read_array(orm.Data(), "msd_A2"),
        lambda: read_thinned_frames(orm.Data(), "positions", 2, BOTH),
    ):
        with pytest.raises(NotHere, match="is not here: an export may leave files out"):
            read()
    node = orm.ArrayData()
    node.set_array("lag_times_ps", np.ones(3))
    node.store()
    node.backend_entity.set_attribute("array|msd_A2", [3])  # AiiDA itself checks one against the other
    assert list(diffusion_arrays(node.uuid)) == ["lag_times_ps"]
