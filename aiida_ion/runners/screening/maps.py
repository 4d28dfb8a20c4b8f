"""Maps that are kept: a file beside the record of each material that has one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_ion.screening.records import KEPT_MAP, map_filename

if TYPE_CHECKING:
    from aiida_ion.analysis.energy_maps.kept_map import EnergyMap


def keep_map(
    result: dict[str, Any], one: EnergyMap, barriers_eV: Any, label: str, keep: bool, max_points: int
) -> dict[str, Any]:
    """Return a record with what describes its map, which is written before the record is.

    :param result: entries of the record; its caveats get a sentence on a map that is too large.
    :param barriers_eV: percolation barriers of this map, eV.
    :param label: of the material.
    :param keep: whether it is to be kept.
    :param max_points: a larger map is not.
    """
    if not keep:
        return result
    if one.energies_eV.size > max_points:
        words = (
            f"the map was not kept: it has {one.energies_eV.size:,} points, more than max_map_points ({max_points:,})"
        )
        return result | {"caveats": [*result.get("caveats", []), words]}
    import numpy as np

    path = Path(map_filename(label))
    beside = path.with_name(f"{path.name}.partial")
    with beside.open("wb") as stream:
        np.savez(stream, **one.arrays())  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    about = {"zero": result["zero"], "barriers_eV": barriers_eV, **one.about()}
    return result | {KEPT_MAP: about}
