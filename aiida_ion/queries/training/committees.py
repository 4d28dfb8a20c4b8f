"""The committee of a training: how far its members differ on each labelled frame, and how far their mean is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import contents
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.queries.reading.shared import rows
from aiida_ion.queries.training.arrays import splits_of, whole_numbers

CHAIN = "aiida.workflows:ion.training"
SPREAD, ERROR = "force_std_mean_eV_A", "force_error_mean_eV_A"


@dataclass(frozen=True)
class CommitteeFrames:
    """Labelled frames as a committee sees them.

    :param spread_eV_A: mean over atoms of the standard deviation of the members' forces, shape (n,).
    :param error_eV_A: mean over atoms of the error of their mean, shape (n,).
    :param split: of each frame.
    :param error_per_std: by split, what a spread is multiplied by to be an error.
    """

    spread_eV_A: NDArray[np.float64]
    error_eV_A: NDArray[np.float64]
    split: NDArray[np.str_]
    error_per_std: Mapping[str, float]


def committee_frames(process_uuid: str, dataset_uuid: str | None) -> CommitteeFrames | None:
    """Return the frames of the report of an ``ion.training``; ``None`` where there is no committee.

    :param process_uuid: of the process that made a training.
    :raises ValueError: for an array that is too large, or is none.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"uuid": process_uuid, "process_type": CHAIN}, tag="chain")
    query.append(orm.ArrayData, with_incoming="chain", edge_filters={"label": "report"}, project=["uuid"])
    reports = [str(uuid) for (uuid,) in rows(query)]
    content = contents(reports[:1])
    if not content:
        return None
    arrays = read_arrays(content, (SPREAD, ERROR, "row"))[reports[0]]
    frames = whole_numbers(arrays.get("row"))
    spread, error = (_numbers(arrays.get(name), frames) for name in (SPREAD, ERROR))
    if frames is None or spread is None or error is None:
        return None
    ratios = _ratios(content[reports[0]].attributes.get("committee"))
    return CommitteeFrames(spread, error, np.array(splits_of(dataset_uuid, frames), dtype=str), ratios)


def _numbers(array: NDArray[Any] | None, frames: NDArray[np.int64] | None) -> NDArray[np.float64] | None:
    if array is None or frames is None or array.shape != frames.shape or array.dtype.kind not in "fiu":
        return None
    return np.asarray(array, dtype=float)


def _ratios(committee: Any) -> dict[str, float]:
    given = committee if isinstance(committee, Mapping) else {}
    ratios = {
        str(split): read_number(about.get("error_per_std")) for split, about in given.items() if isinstance(about, dict)
    }
    return {split: ratio for split, ratio in ratios.items() if ratio is not None}
