"""What the jobs of the surrogate share: the arrays of a dataset, its fingerprint, and checks of model files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.surrogate import dataset as surrogate

FILENAME_DATASET = "dataset.npz"
FILENAME_MODEL = "model.safetensors"
FILENAME_PROGRESS = "progress.json"
#: Temperatures that differ by less than this are the same.
TEMPERATURE_TOLERANCE = 0.01
#: Kinds of configurations in the order of their numbers.
KINDS = tuple(surrogate.KINDS)
#: Array -> type. M materials, A atoms in all, C configurations, P atoms of all configurations, R replicas in all.
DATASET_ARRAYS: dict[str, str] = {
    "atom_offsets": "int64",  # (M+1)
    "atomic_numbers": "int16",  # (A)
    "masses_amu": "float64",  # (A)
    "mobile": "bool",  # (A)
    "reference_positions_A": "float64",  # (A, 3), angstrom
    "cells_A": "float64",  # (M, 3, 3), angstrom, rows are lattice vectors
    "material": "int32",  # (C)
    "kind": "int8",  # (C), an index into KINDS
    "amplitude_A": "float64",  # (C), angstrom, NaN where there is none
    "time_fs": "float64",  # (C), fs, NaN for displaced ones
    "position_offsets": "int64",  # (C+1)
    "positions_A": "float32",  # (P, 3), angstrom, unwrapped
    "forces_eV_A": "float32",  # (P, 3), eV/angstrom
    "log10_slope": "float64",  # (M), angstrom^2/ps, NaN where unlabelled
    "log10_slope_std": "float64",  # (M)
    "censored": "bool",  # (M)
    "replica_offsets": "int64",  # (M+1)
    "replica_log10_slope": "float64",  # (R), NaN where there is none
    "short_md_steps_fs": "float64",  # (M), fs, NaN where there is none
}
#: What the model and its report state about the data they were made with.
IDENTITY = ("temperature_K", "mobile_species", "levels_of_theory")


def dataset_arrays(dataset: orm.ArrayData) -> dict[str, NDArray[Any]]:
    """Return the arrays of a dataset node by their names."""
    return {name: dataset.get_array(name) for name in DATASET_ARRAYS}


def arrays_sha256(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the sha256 of arrays: over names, types, shapes and bytes, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_dataset(path: PurePath | str, dataset: orm.ArrayData) -> None:
    """Write the arrays of a dataset as an npz file."""
    np.savez(path, **dataset_arrays(dataset))  # type: ignore[arg-type]


def validate_dataset(dataset: orm.ArrayData) -> str | None:
    """Return why a node cannot be read as a dataset; ``None`` if it can."""
    missing = sorted(set(DATASET_ARRAYS) - set(dataset.get_arraynames()))
    if missing:
        return f"the dataset lacks {', '.join(missing)}; make it with 'aiida-ion surrogate dataset'"
    if dataset.base.attributes.get("sha256", None) != arrays_sha256(dataset_arrays(dataset)):
        return "the arrays of the dataset are not those that its sha256 says; make it again"
    return None


def without_nan(value: Any) -> Any:
    """Return a JSON value with ``None`` for every number that is not finite, which no attribute of a node may be."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def model_node(path: Path, attributes: Mapping[str, Any]) -> orm.SinglefileData:
    """Return a model file as an unstored node with its sha256.

    :raises ValueError: if the file is not a safetensors file.
    """
    content = path.read_bytes()
    require_safetensors(content)
    node = orm.SinglefileData(path.absolute(), filename=FILENAME_MODEL)
    node.base.attributes.set_many(dict(attributes) | {"sha256": hashlib.sha256(content).hexdigest()})
    return node


def validate_model(model: orm.SinglefileData) -> str | None:
    """Return why a node is not the model that a training made; ``None`` if it is."""
    stated = model.base.attributes.get("sha256", None)
    content = model.get_content(mode="rb")
    if stated is None:
        return "the model has no sha256; give the `model` output of an ion.surrogate_train"
    if hashlib.sha256(content).hexdigest() != stated:
        return f"the model file is not the one that its sha256 {stated[:12]} says; train it again"
    try:
        require_safetensors(content)
    except ValueError as error:
        return str(error)
    return None


def require_safetensors(content: bytes) -> None:
    """Refuse a file that is not safetensors: such a file has only numbers, and reading it runs no code.

    :raises ValueError: saying so.
    """
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length]) if 8 + length <= len(content) else None
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise ValueError("the model is not a safetensors file; no other kind is read")
