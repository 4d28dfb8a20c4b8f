"""Program that looks whether a run leaves its training frames: inputs.json in, results.json and arrays.npz out.

Run as ``python -m aiida_ion.runners.watch`` in a folder that holds ``inputs.json`` and the arrays it names.
``results.json`` is written last and whole: without it the program has not finished.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.trajectories.segment_files import load_array, read_inputs, write_results
from aiida_ion.runners.environments import chosen_rows, watch_environments
from aiida_ion.training.bounds import LEAST_HELD_OUT, upper_level
from aiida_ion.training.watch import LOOK_BEYOND_A, closest_pairs_of_frames, committee_spread, flag_frames

REQUIRED = (
    *("segments", "symbols", "bounds_A", "rule", "settings"),
    *("committee", "committee_validation_eV_A", "training_set", "remarks"),
)
PACKAGES = ("numpy", "scipy", "ase")
#: Environments of so many frames at the end of a run are looked at, whatever else is.
LAST_FRAMES = 20
#: Flagged frames that are listed one by one.
MAX_LISTED = 1000


def main() -> None:
    """Look at what lies in the current folder; exit 0 whenever results.json was written."""
    started, folder = time.perf_counter(), Path.cwd()
    try:
        arrays, outcome = watch(folder, read_inputs(folder, REQUIRED))
    except ValueError as error:
        outcome = {"status": "invalid_input", "message": " ".join(str(error).split())}
    except MemoryError:
        outcome = {"status": "out_of_memory", "message": "Not enough memory: ask for more, or watch fewer frames."}
    else:
        np.savez(folder / "arrays.npz", **arrays)
        outcome = {"status": "finished", "message": f"{outcome['n_flagged']} frames are flagged."} | outcome
    cost = {"wall_time_s": time.perf_counter() - started, "cpu_time_s": time.process_time()}
    packages = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    write_results(folder, outcome | {"versions": packages, "cost": cost})


def watch(folder: Path, inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays of all frames, and which of them are flagged.

    :raises ValueError: for a file that is missing or unreadable, and members that are not of the same frames.
    """
    bounds, remarks = inputs["bounds_A"], list(inputs["remarks"])
    pairs, cutoff_A = sorted(bounds), max(bounds.values()) + LOOK_BEYOND_A
    parts: dict[str, list[Any]] = {name: [] for name in ("closest_A", "segment", "frame", "steps")}
    frames: list[tuple[Any, Any]] = []
    for number, files in enumerate(inputs["segments"]):
        positions, steps = load_array(folder, files, "positions", mapped=True), load_array(folder, files, "steps")
        cells = load_array(folder, files, "cells")
        frames += list(zip(positions, cells, strict=True))
        parts["closest_A"].append(closest_pairs_of_frames(positions, cells, inputs["symbols"], pairs, cutoff_A))
        parts["segment"].append(np.full(len(steps), number))
        parts["frame"].append(np.arange(len(steps)))
        parts["steps"].append(steps)
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    spread, spread_bound = _spread(folder, inputs["committee"], arrays), _spread_bound(inputs, remarks)
    judged = (arrays["closest_A"], pairs, bounds, None if spread is None else spread[:, 0], spread_bound)
    environment, about = _environment(folder, inputs, frames, [one.frame for one in flag_frames(*judged)], remarks)
    flagged = flag_frames(*judged, environment, about["environment_bound"])
    arrays |= {} if spread is None else {"committee_spread_eV_A": spread}
    arrays |= {} if environment is None else {"environment": environment}
    return arrays, about | {
        "pairs": pairs,
        "bounds_A": bounds,
        "rule": inputs["rule"],
        "committee_bound_eV_A": spread_bound,
        "looked_to_A": cutoff_A,
        "n_frames": len(arrays["steps"]),
        "n_flagged": len(flagged),
        "flagged_by": dict(Counter(one.reason for one in flagged)),
        "flagged": [_place(asdict(one), arrays) for one in flagged[:MAX_LISTED]],
        "closest_pairs_A": dict(zip(pairs, arrays["closest_A"].min(axis=0).tolist(), strict=True)),
        "remarks": remarks,
    }


def _environment(
    folder: Path, inputs: dict[str, Any], frames: list[tuple[Any, Any]], flagged: list[int], remarks: list[str]
) -> tuple[Any, dict[str, Any]]:
    """Return the distances to the training atoms and their bound; ``None`` where they are not compared."""
    nothing = {"environment_bound": None, "n_environment": 0}
    if inputs["training_set"] is None or not frames:
        return None, nothing
    rows = chosen_rows(len(frames), flagged, inputs["settings"]["max_environment_frames"], LAST_FRAMES)
    chosen = {row: frames[row] for row in rows}
    values, about = watch_environments(folder / inputs["training_set"], inputs["symbols"], chosen, len(frames))
    if about["environment_bound"] is None:
        remarks.append("environments have no bound: too few frames of the dataset were held out")
    return values, about | {"n_environment": len(rows)}


def _spread_bound(inputs: dict[str, Any], remarks: list[str]) -> float | None:
    """Return the spread of a committee above which a frame is flagged, given or from its validation."""
    given, validation = inputs["settings"].get("committee_bound_eV_A"), inputs["committee_validation_eV_A"]
    if given is not None:
        return float(given)
    if len(validation) >= LEAST_HELD_OUT:
        return upper_level(np.array(validation))
    if inputs["committee"]:
        remarks.append("the committee has no bound: give its report with enough frames of validation, or a bound")
    return None


def _place(flagged: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """Return a flagged frame with its place: the number of its segment, its index there, and its step."""
    row = flagged["frame"]
    return (
        flagged
        | {"row": row}
        | {
            name: int(arrays[array][row])
            for name, array in (("segment", "segment"), ("frame", "frame"), ("step", "steps"))
        }
    )


def _spread(folder: Path, committee: list[dict[str, str]], arrays: dict[str, Any]) -> Any:
    """Return the spread of a committee on each frame, shape (n, 2); NaN where it was not evaluated."""
    if not committee:
        return None
    members = [{name: load_array(folder, files, name) for name in files} for files in committee]
    for member in members[1:]:
        if not all(np.array_equal(member[name], members[0][name]) for name in ("segment", "frames")):
            raise ValueError("the forces of the committee are not of the same frames: evaluate all members on the same")
    spread = np.full((len(arrays["steps"]), 2), np.nan)
    index = {key: row for row, key in enumerate(zip(arrays["segment"], arrays["frame"], strict=True))}
    rows = [index[key] for key in zip(members[0]["segment"], members[0]["frames"], strict=True)]
    spread[rows] = committee_spread([member["forces"] for member in members])
    return spread


if __name__ == "__main__":
    main()
