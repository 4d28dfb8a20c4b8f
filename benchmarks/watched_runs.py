"""Bounds of pairs of elements against the runs of a finished student: which runs they would have stopped, and when.

    python benchmarks/watched_runs.py 14 --profile ion-students

For each training of the student the bounds are computed from its dataset as they are for new ones, and compared with
every stored frame of its runs: those that survived must not come below them, those that failed should, before the
forces show it. A run that LAMMPS watches is looked at in each step; stored frames are fewer, so this is the least that
is seen.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("student", help="pk or uuid of a finished ion.student")
    parser.add_argument("--profile", help="the profile that has it")
    given = parser.parse_args()
    from aiida import load_profile, orm

    load_profile(given.profile)
    student: Any = orm.load_node(given.student)
    links = {link.link_label: link.node for link in student.base.links.get_outgoing(node_class=orm.ProcessNode).all()}
    print("| run | ps | ended | closest pair: distance, bound (angstrom) | first flagged at step | last step |")
    print("|---|---|---|---|---|---|")
    for label, training in sorted(links.items()):
        if not label.startswith("training_"):
            continue
        number, bounds_A = label.rpartition("_")[2], bounds_of(training.inputs.dataset)
        for name, run in sorted(links.items()):
            if name.split("_")[:2] in (["explore", number], ["accept", number]):
                print(row(name, run, bounds_A), flush=True)


def bounds_of(dataset: Any) -> dict[str, float]:
    """Return the bounds of a dataset, computed now, angstrom."""
    from aiida import orm

    from aiida_ion.calculations.training.dataset import PUSH
    from aiida_ion.calculations.training.frames import dataset_frames
    from aiida_ion.training.bounds import watch_bounds

    trajectories: list[Any] = [orm.load_node(one["trajectory"]) for one in dataset.base.attributes.get("sources")]
    pushed = [
        index
        for index, trajectory in enumerate(trajectories)
        if trajectory.creator is not None and trajectory.creator.process_type == PUSH
    ]
    bounds: dict[str, float] = watch_bounds(dataset_frames(dataset), pushed)["bounds_A"]
    return bounds


def row(name: str, run: Any, bounds_A: dict[str, float]) -> str:
    """Return a row of the table: how near a run came to its bounds."""
    from aiida_ion.training.watch import LOOK_BEYOND_A, closest_pairs_of_frames, flag_frames
    from aiida_ion.units import FS_PER_PS

    pairs, looked_to_A = sorted(bounds_A), max(bounds_A.values()) + LOOK_BEYOND_A
    closest, steps = [], []
    for _, segment in sorted(run.outputs.trajectories.items()):
        symbols = segment.base.attributes.get("symbols")
        arrays = segment.get_array("positions"), segment.get_array("cells")
        closest.append(closest_pairs_of_frames(*arrays, symbols, pairs, looked_to_A))
        steps.append(segment.get_array("steps"))
    values, step = np.concatenate(closest), np.concatenate(steps)
    flagged = flag_frames(values, pairs, bounds_A)
    nearest = ", ".join(
        f"{pair} {values[:, place].min():.3f} ({bounds_A[pair]:.3f})" for place, pair in enumerate(pairs)
    )
    time_ps = step[-1] * run.inputs.parameters["timestep_fs"] / FS_PER_PS
    first = str(step[flagged[0].frame]) if flagged else "none"
    return f"| {name} | {time_ps:.1f} | {run.exit_status} | {nearest} | {first} | {step[-1]} |"


if __name__ == "__main__":
    main()
