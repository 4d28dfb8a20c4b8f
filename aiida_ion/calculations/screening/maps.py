"""Base of the jobs whose results have a map that may be kept: an array for each material, beside its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.screening.batch import BatchCalculation, BatchParser
from aiida_ion.screening.records import FILENAME_RECORDS, FILENAMES_MAPS, KEPT_MAP, map_filename

#: What a map takes over from the record of its material.
TAKEN = ("method", "method_hash", "mobile_species", "structure_hash", "formula", "others", "potential")


class MapCalculation(BatchCalculation):
    """A job with many materials that makes a map of each."""

    temporary = (FILENAME_RECORDS, FILENAMES_MAPS)

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the maps."""
        super().define(spec)
        spec.output_namespace(
            "maps",
            valid_type=orm.ArrayData,
            dynamic=True,
            required=False,
            help="With `keep_map`, the map of each label: `energies_eV` (float32, eV above the attribute `zero`) on a "
            "grid of the attribute `cell_A`, and `host_positions_A` of the atoms that stay in place (angstrom).",
        )


class MapParser(BatchParser):
    """Attaches the results, and the maps that were kept."""

    def attach(self, label: str, record: Mapping[str, Any]) -> None:
        """Attach the result of one material, and its map."""
        super().attach(label, record)
        about, path = record.get(KEPT_MAP), self.folder / map_filename(label)
        if about is None or not path.exists():
            return
        node: Any = orm.ArrayData()
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                node.set_array(name, arrays[name])
        node.base.attributes.set_many({name: record[name] for name in TAKEN if name in record} | dict(about))
        self.out(f"maps.{label}", node)
