"""Batches of replicas for tests: their working folder, and the single runs that they are compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from tests.runners.conftest import Folder


def structure_of(atoms: Atoms) -> dict[str, Any]:
    """Return a structure as the programs read it."""
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": np.asarray(atoms.cell).tolist(),
        "pbc": [bool(value) for value in atoms.pbc],
    }


def write_batch(
    path: Path, cells: Mapping[str, Atoms], runs: Mapping[str, tuple[str, Mapping[str, Any]]], **inputs: Any
) -> Folder:
    """Write the inputs of a batch.

    :param cells: structures by name.
    :param runs: key -> name of its structure, MD settings.
    """
    folder = Folder(path)
    (path / "structures.json").write_text(json.dumps({name: structure_of(atoms) for name, atoms in cells.items()}))
    listed = [{"key": key, "structure": name, "md": dict(md)} for key, (name, md) in runs.items()]
    (path / "inputs.json").write_text(json.dumps({"max_seconds": None, "replicas": listed} | inputs))
    return folder


def replica(folder: Folder, key: str) -> Folder:
    """Return the folder of a replica, which holds what a single run writes."""
    return Folder(folder.path / "replicas" / key)


def continued(before: Folder, after: Folder, keys: list[str]) -> None:
    """Give a batch the restart files of another."""
    for key in keys:
        content = (replica(before, key).path / "restart.npz").read_bytes()
        (replica(after, key).path / "restart.npz").write_bytes(content)


def assert_same_run(one: Folder, other: Folder, tolerance: float = 0.0) -> None:
    """Assert that two folders hold the same run: every array, and the whole state.

    :param tolerance: largest difference of positions (angstrom) and energies (eV); zero for the same bits.
    """
    np.testing.assert_array_equal(one.array("steps"), other.array("steps"))
    np.testing.assert_allclose(one.array("positions"), other.array("positions"), rtol=0, atol=tolerance)
    left, right = one.array("thermo"), other.array("thermo")
    assert left.dtype == right.dtype
    for name in left.dtype.names or ():
        np.testing.assert_allclose(left[name], right[name], rtol=1e-4 if tolerance else 0, atol=tolerance, err_msg=name)
    first, second = one.restart(), other.restart()
    assert first.keys() == second.keys()
    assert str(first["rng_state"]) == str(second["rng_state"])
    if not tolerance:
        assert [name for name in first if not np.array_equal(first[name], second[name])] == []
