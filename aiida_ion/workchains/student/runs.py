"""The runs of a student: what each gets, how it ended, and which of its frames are labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.exit_codes import EXPLODED
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.student.loop import CLOSE_PAIR, SURVIVED, is_survivor
from aiida_ion.workchains.student.loop import EXPLODED as ENDED_EXPLODED
from aiida_ion.workchains.student.parameters import StudentParameters


def run_settings(parameters: StudentParameters, stage: str, seed: int) -> dict[str, Any]:
    """Return the MD settings of a run that has to survive."""
    return {
        "temperature_K": parameters.student_temperature_K,
        "timestep_fs": parameters.timestep_fs,
        "n_steps": parameters.n_student_steps(stage),
        "sample_every": parameters.student_sample_every,
        "seed": seed,
    }


def check_settings(parameters: StudentParameters, seed: int) -> dict[str, Any]:
    """Return the MD settings of a run that is compared with the teacher's own."""
    return {
        "temperature_K": parameters.teacher_temperature_K,
        "timestep_fs": parameters.timestep_fs,
        "n_steps": parameters.n_test_steps,
        "sample_every": parameters.sample_every,
        "seed": seed,
    }


def has_ended(node: Any) -> str | None:
    """Return how a run ended; ``None`` if for a reason that is not the student's."""
    if node.is_finished_ok:
        return SURVIVED
    return ENDED_EXPLODED if node.exit_status == EXPLODED else None


def survived_ps(node: Any) -> float:
    """Return the time of the last stored frame of a run, ps; 0 without one."""
    times = [np.asarray(segment.get_array("times")) for segment in trajectories_of(node).values()]
    return max((float(one[-1]) for one in times if len(one)), default=0.0)


def trajectories_of(node: Any) -> dict[str, orm.TrajectoryData]:
    """Return the segments of a run that hold frames."""
    if "trajectories" not in node.outputs:
        return {}
    segments = dict(node.outputs.trajectories.items())
    return {key: segments[key] for key in sorted(segments) if segments[key].get_shape("positions")[0]}


def seen(run: Mapping[str, Any], watch: orm.ArrayData | None) -> dict[str, Any]:
    """Return a run with what its watch saw: a pair that came too close ends it there."""
    flagged = watch.base.attributes.get("flagged") if watch is not None else []
    if not flagged or not is_survivor(run):
        return dict(run) | {"n_flagged": len(flagged)}
    assert watch is not None
    first = flagged[0]
    time_ps = float(first["step"]) * run["timestep_fs"] / FS_PER_PS
    what = {"pair": first["pair"], "distance_A": first["value"], "bound_A": first["bound"]}
    return dict(run) | {"ended": CLOSE_PAIR, "survived_ps": time_ps, "n_flagged": len(flagged)} | what


def frames_to_label(n_frames: int, is_failed: bool, flagged: Sequence[int], n_last: int, n_spread: int) -> list[int]:
    """Return which frames of a run are labelled, sorted.

    :param n_frames: stored frames of the run, over all its segments.
    :param is_failed: whether it exploded: its last frames say why.
    :param flagged: frames that left the training frames.
    :param n_last: most frames at the end, and as many flagged ones.
    :param n_spread: frames that are spread evenly over the rest.
    """
    last = list(range(max(0, n_frames - n_last), n_frames)) if is_failed else []
    chosen = [flagged[i] for i in sorted({i * len(flagged) // n_last for i in range(n_last)})] if flagged else []
    end = n_frames - len(last)
    spread = [(2 * i + 1) * end // (2 * n_spread) for i in range(n_spread)] if end > 0 else []
    return sorted({*last, *chosen, *spread})


def share(total: int, parts: int) -> list[int]:
    """Return whole numbers that add up to a total, as equal as they can be."""
    return [total // parts + (index < total % parts) for index in range(parts)]
