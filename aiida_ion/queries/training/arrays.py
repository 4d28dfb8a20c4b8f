"""Arrays of one training and of one watched run, with what their atoms and frames are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import Content, contents
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import rows
from aiida_ion.queries.reading.uuids import known_uuids

CURVE = ("epoch", "train_force_rmse_eV_A", "validation_force_rmse_eV_A")
PREDICTIONS = ("reference_forces", "predicted_forces", "parent_forces", "offsets", "row")
WATCHED = ("closest_A", "committee_spread_eV_A", "environment", "segment", "frame", "steps")
#: Names of the splits of a dataset, by their number.
SPLITS = ("train", "validation", "test")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Predictions:
    """Forces of a potential beside their references, for each of P atoms of all frames that were evaluated.

    :param reference: shape (P, 3), eV/angstrom.
    :param predicted: shape (P, 3), eV/angstrom.
    :param parent: of the potential that the training started from, shape (P, 3); ``None`` without one.
    :param split: of the frame, shape (P,); ``unknown`` where the dataset cannot be read.
    :param element: shape (P,).
    :param temperature: such as ``600 K``, shape (P,).
    """

    reference: NDArray[np.float64]
    predicted: NDArray[np.float64]
    parent: NDArray[np.float64] | None
    split: NDArray[np.str_]
    element: NDArray[np.str_]
    temperature: NDArray[np.str_]


def report_arrays(report_uuid: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return arrays of a report, as far as it has them.

    :raises ValueError: for an array that is too large, or is none.
    """
    return read_arrays(contents([report_uuid]), names).get(report_uuid, {})


def predictions(report_uuid: str, dataset_uuid: str | None) -> Predictions | None:
    """Return the forces that a report holds; ``None`` if it has none, or they do not fit together.

    :raises ValueError: for an array that is too large, or is none.
    """
    arrays = report_arrays(report_uuid, PREDICTIONS)
    reference, predicted = (_vectors(arrays.get(f"{side}_forces")) for side in ("reference", "predicted"))
    offsets, rows_of_frames = (whole_numbers(arrays.get(name)) for name in ("offsets", "row"))
    if reference is None or predicted is None or reference.shape != predicted.shape:
        return None
    if offsets is None or rows_of_frames is None or len(offsets) != len(rows_of_frames) + 1 or offsets[0] != 0:
        return None
    sizes = np.diff(offsets)
    if (sizes < 0).any() or offsets[-1] != len(reference):
        return None
    parent = _vectors(arrays.get("parent_forces"))
    parent = parent if parent is not None and parent.shape == reference.shape else None
    return Predictions(reference, predicted, parent, *_of_atoms(dataset_uuid, rows_of_frames, sizes))


def splits_of(dataset_uuid: str | None, frames: NDArray[np.int64]) -> list[str]:
    """Return the split of frames, given by their rows in a dataset; ``unknown`` where it cannot be read."""
    content = contents([dataset_uuid]).get(dataset_uuid) if dataset_uuid else None
    split = _dataset(content)[1]
    numbers = [int(split[row]) if 0 <= row < len(split) else -1 for row in frames.tolist()]
    return [SPLITS[number] if 0 <= number < len(SPLITS) else UNKNOWN for number in numbers]


def _of_atoms(
    dataset_uuid: str | None, frames: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_]]:
    """Return split, element and temperature of each atom of frames, given by their rows in a dataset."""
    splits, elements, temperatures = [], [], []
    content = contents([dataset_uuid or ""] if dataset_uuid else []).get(dataset_uuid or "")
    source, split, listed = _dataset(content)
    symbols = _symbols([str(one.get("trajectory")) for one in listed])
    for row, size in zip(frames.tolist(), sizes.tolist(), strict=True):
        is_known = 0 <= row < len(source) and 0 <= source[row] < len(listed)
        about = listed[source[row]] if is_known else {}
        atoms = symbols.get(str(about.get("trajectory")), [])
        number = int(split[row]) if is_known else -1
        kelvin = read_number(about.get("temperature_K"))
        splits += [SPLITS[number] if 0 <= number < len(SPLITS) else UNKNOWN] * size
        elements += atoms if len(atoms) == size else [UNKNOWN] * size
        temperatures += [UNKNOWN if kelvin is None else f"{kelvin:g} K"] * size
    return np.array(splits, dtype=str), np.array(elements, dtype=str), np.array(temperatures, dtype=str)


def _dataset(content: Content | None) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Mapping[str, Any]]]:
    """Return source and split of each frame of a dataset, and its sources."""
    nothing = np.empty(0, dtype=np.int64)
    if content is None:
        return nothing, nothing, []
    arrays = read_arrays({"dataset": content}, ("source", "split"))["dataset"]
    source, split = (whole_numbers(arrays.get(name)) for name in ("source", "split"))
    given = content.attributes.get("sources")
    listed: list[Mapping[str, Any]] = []
    if isinstance(given, list):
        listed = [one if isinstance(one, dict) else {} for one in given]
    if source is None or split is None or len(source) != len(split):
        return nothing, nothing, listed
    return source, split, listed


def _symbols(uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return the elements of the atoms of trajectories, by UUID."""
    query = orm.QueryBuilder()
    filters = {"uuid": {"in": known_uuids(uuids)}}
    query.append(orm.TrajectoryData, filters=filters, project=["uuid", "attributes.symbols"])
    return {uuid: [str(name) for name in names] for uuid, names in rows(query) if isinstance(names, list)}


def watch_arrays(watch_uuid: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return attributes and arrays of what was seen of a run, with ``times_ps`` of each frame where they are known.

    :raises ValueError: for an array that is too large, or is none.
    """
    content = contents([watch_uuid])
    if not content:
        return {}, {}
    arrays = read_arrays(content, WATCHED)[watch_uuid]
    segment, frame = whole_numbers(arrays.get("segment")), whole_numbers(arrays.get("frame"))
    times = _times(watch_uuid) if segment is not None and frame is not None and len(segment) == len(frame) else []
    if times and segment is not None and frame is not None:
        inside = [0 <= s < len(times) and 0 <= f < len(times[s]) for s, f in zip(segment, frame, strict=True)]
        if all(inside):
            arrays["times_ps"] = np.array([times[s][f] for s, f in zip(segment, frame, strict=True)], dtype=float)
    return content[watch_uuid].attributes, arrays


def _times(watch_uuid: str) -> list[NDArray[np.float64]]:
    """Return the times, ps, of the frames of each segment that a watch looked at; nothing if one is missing."""
    query = orm.QueryBuilder().append(orm.ArrayData, filters={"uuid": watch_uuid}, tag="watch")
    query.append(orm.CalcJobNode, with_outgoing="watch", tag="job")
    query.append(orm.TrajectoryData, with_outgoing="job", project=["uuid"], edge_project=["label"])
    segments = [str(uuid) for _, uuid in sorted((str(label), uuid) for uuid, label in rows(query))]
    arrays = read_arrays(contents(segments, orm.TrajectoryData), ("times",))
    times = [np.asarray(arrays.get(uuid, {}).get("times", ())) for uuid in segments]
    return times if all(one.ndim == 1 and one.size and one.dtype.kind == "f" for one in times) else []


def _vectors(array: NDArray[Any] | None) -> NDArray[np.float64] | None:
    if array is None or array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "fiu":
        return None
    return np.asarray(array, dtype=float)


def whole_numbers(array: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Return an array of whole numbers in one dimension; ``None`` for anything else."""
    if array is None or array.ndim != 1 or array.dtype.kind not in "iu":
        return None
    return np.asarray(array, dtype=np.int64)
