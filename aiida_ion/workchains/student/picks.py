"""Which frames of the runs of a student the teacher is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.training.generated import pick_frames, push_pairs
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.runs import pick_settings, share, trajectories_of


def picked_frames(
    runs: Sequence[Mapping[str, Any]],
    watches: Mapping[int, Any],
    parameters: StudentParameters,
    number: int,
    report: Callable[[str], None],
) -> dict[str, int]:
    """Return the frames of runs that the teacher is asked about, and copies with pushed pairs: pks by name.

    :param runs: of the last loop.
    :param watches: pk of a run -> the job that watched it.
    :param number: of the training.
    :param report: is told of runs without a frame that can be labelled.
    """
    picked = {}
    for index, (run, n_spread) in enumerate(zip(runs, share(parameters.n_spread_frames, len(runs)), strict=True)):
        segments = list(trajectories_of(orm.load_node(run["pk"])).values())
        if not segments:
            continue
        flagged = watches[run["pk"]].outputs.watch.base.attributes.get("flagged")
        nodes = {f"trajectory_{place:03d}": segment for place, segment in enumerate(segments)}
        try:
            frames: Any = pick_frames(orm.Dict(pick_settings(run, flagged, n_spread, parameters)), **nodes)
        except ValueError as error:  # every frame is beyond what a label could tell
            report(f"no frame of run {run['pk']} is labelled: {error}")
            continue
        picked[f"picked_{index}"] = frames.pk
    if picked:
        by_name: dict[str, Any] = {f"trajectory_{i:03d}": orm.load_node(pk) for i, pk in enumerate(picked.values())}
        pushed: Any = push_pairs(orm.Dict({"seed": parameters.seed + number} | parameters.push), **by_name)
        picked["pushed"] = pushed.pk
    return picked
