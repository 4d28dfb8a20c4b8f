"""What the jobs that analyse trajectories share: files of the segments, what must fit together, and the parser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from aiida import orm
from aiida.engine import ExitCode

from aiida_ion.calculations.script import UNREADABLE, ScriptParser

FILENAME_ARRAYS = "arrays.npz"
SEGMENT_ARRAYS = ("positions", "steps", "times", "cells")


def segment_files(
    trajectories: Mapping[str, orm.TrajectoryData],
) -> tuple[list[list[dict[str, str]]], list[tuple[str, str, str]]]:
    """Return the files of each replica's segments as the program is told of them, and the copies that put them there.

    :param trajectories: segments under names as ``replica_00_segment_000``.
    """
    replicas: dict[str, list[dict[str, str]]] = {}
    copies: list[tuple[str, str, str]] = []
    for key in sorted(trajectories):
        arrays = {name: f"{key}_{name}.npy" for name in SEGMENT_ARRAYS}
        copies += [(trajectories[key].uuid, f"{name}.npy", target) for name, target in arrays.items()]
        replicas.setdefault(key.partition("_segment_")[0], []).append(arrays)
    return list(replicas.values()), copies


def symbols_of_segments(trajectories: Mapping[str, orm.TrajectoryData]) -> list[str]:
    """Return the element of each atom, the same in all segments."""
    symbols: list[str] = next(iter(trajectories.values())).base.attributes.get("symbols")
    return symbols


def validate_segments(trajectories: Mapping[str, orm.TrajectoryData], mobile_species: str | None) -> str | None:
    """Return why segments cannot be analysed together; ``None`` if they can."""
    symbols = [node.base.attributes.get("symbols") for node in trajectories.values()]
    if any(other != symbols[0] for other in symbols[1:]):
        return "the segments hold different atoms"
    if mobile_species not in symbols[0]:
        return f"the trajectory has no {mobile_species}; it has {', '.join(sorted(set(symbols[0])))}"
    return None


class TrajectoryAnalysisParser(ScriptParser):
    """Turns results and arrays of the program into one node, and its versions into another."""

    #: Name of the output, and which parameters say what the trajectory does not know about itself.
    output: ClassVar[str]
    sample_keys: ClassVar[frozenset[str]]

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the node."""
        try:
            results = self.read_results()
            if results is None:
                return self.exit_code_of_ending(self.ending())
            failure = self.exit_code_of_status(results)
            if failure is not None:
                return failure
            node = self._results_node(results, f"{retrieved_temporary_folder}/{FILENAME_ARRAYS}")
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.out(self.output, node)
        self.out("versions", orm.Dict(results["versions"]))
        return None

    def _results_node(self, results: dict[str, Any], arrays_path: str) -> orm.ArrayData:
        parameters = self.node.inputs.parameters.get_dict()
        node = orm.ArrayData()
        with np.load(arrays_path, allow_pickle=False) as arrays:
            for name in arrays.files:
                node.set_array(name, arrays[name])
        scalars = {key: value for key, value in results.items() if key not in ("status", "message", "versions", "cost")}
        facts = {key: parameters[key] for key in self.sample_keys & set(parameters)}
        node.base.attributes.set_many(scalars | facts)
        return node
