"""The runs of a student: what each gets, how it ended, and which of its frames are labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.exit_codes import EXPLODED, LEFT_TRAINING
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.student.loop import CLOSE_PAIR, SURVIVED
from aiida_ion.workchains.student.loop import EXPLODED as ENDED_EXPLODED
from aiida_ion.workchains.student.parameters import CHECK, StudentParameters

#: Why a frame is flagged whose pair is too close.
CLOSE_PAIR_REASON = "closest_pair"


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


def loop_settings(parameters: StudentParameters, stage: str, loop: int) -> list[dict[str, Any]]:
    """Return the MD settings of the runs of a loop, each from other velocities."""
    seeds = [parameters.seed_of(loop, number) for number in range(parameters.n_seeds)]
    return [run_settings(parameters, stage, seed) for seed in seeds]


def comparison_settings(parameters: StudentParameters) -> list[dict[str, Any]]:
    """Return the MD settings of the runs that are compared with the teacher's own."""
    return [check_settings(parameters, parameters.seed_of(CHECK, number)) for number in range(parameters.n_seeds)]


def has_ended(node: Any) -> str | None:
    """Return how a run ended; ``None`` if for a reason that is not the student's."""
    if node.is_finished_ok:
        return SURVIVED
    return {EXPLODED: ENDED_EXPLODED, LEFT_TRAINING: CLOSE_PAIR}.get(node.exit_status)


def ended_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run of the context with how it ended, how long it survived and how long it was to be, ps."""
    node: Any = orm.load_node(run["pk"])
    length_ps = run["n_steps"] * run["timestep_fs"] / FS_PER_PS
    return dict(run) | {"ended": has_ended(node), "survived_ps": survived_ps(node), "length_ps": length_ps}


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
    """Return a run with what its watch saw: a pair that came too close ends it there.

    New surroundings are said and labelled; they end no run, which may well be right there.
    """
    flagged = watch.base.attributes.get("flagged") if watch is not None else []
    by = dict(watch.base.attributes.get("flagged_by", {})) if watch is not None else {}
    about = dict(run) | {"n_flagged": len(flagged), "flagged_by": by, "has_exploded": run["ended"] == ENDED_EXPLODED}
    first = next((one for one in flagged if one["reason"] == CLOSE_PAIR_REASON), None)
    if first is None or run["ended"] == ENDED_EXPLODED:
        return about
    time_ps = float(first["step"]) * run["timestep_fs"] / FS_PER_PS
    what = {"pair": first["pair"], "distance_A": first["value"], "bound_A": first["bound"]}
    return about | {"ended": CLOSE_PAIR, "survived_ps": time_ps} | what


def pick_settings(
    run: Mapping[str, Any], flagged: Sequence[Mapping[str, Any]], n_spread: int, parameters: StudentParameters
) -> dict[str, Any]:
    """Return which frames of a run the teacher is asked about: settings of ``ion.pick_frames``.

    :param run: an entry of a loop; the last frames of one that exploded, or was stopped, say why.
    :param flagged: its frames that left the training frames; of a long row, as many as of an explosion are taken.
    :param n_spread: frames that are spread evenly over the run.
    """
    most = parameters.n_last_frames
    rows = sorted({i * len(flagged) // most for i in range(most)}) if flagged else []
    indices: dict[str, list[int]] = {}
    for row in rows:
        indices.setdefault(f"trajectory_{flagged[row]['segment']:03d}", []).append(int(flagged[row]["frame"]))
    failed = run["has_exploded"] or run["ended"] == CLOSE_PAIR
    return {"last": most if failed else 0, "spread": n_spread, "indices": indices}


def steps_per_cpu_s(nodes: Sequence[Any]) -> float | None:
    """Return the fastest of runs, steps per second of CPU time, which the load of the machine hardly changes.

    ``None`` where none says it.
    """
    costs = [node.outputs.cost.get_dict() for node in nodes if "cost" in node.outputs]
    speeds = [cost["n_steps"] / cost["cpu_time_s"] for cost in costs if cost.get("n_steps") and cost.get("cpu_time_s")]
    return max(map(float, speeds), default=None)


def cpu_s(process: orm.WorkChainNode) -> float:
    """Return the CPU time of all jobs of a process so far, s; the wall time of those that do not say it."""
    jobs: list[Any] = [child for child in process.called_descendants if isinstance(child, orm.CalcJobNode)]
    costs = [job.outputs.cost.get_dict() for job in jobs if "cost" in job.outputs]
    return float(sum(cost.get("cpu_time_s") or cost.get("wall_time_s") or 0.0 for cost in costs))


def n_labels(trajectory: Any) -> int:
    """Return the frames of a trajectory, each of which is a label of the teacher."""
    return int(trajectory.get_shape("positions")[0])


def share(total: int, parts: int) -> list[int]:
    """Return whole numbers that add up to a total, as equal as they can be."""
    return [total // parts + (index < total % parts) for index in range(parts)]
