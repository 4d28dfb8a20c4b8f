"""Files of an analysis program: the inputs in its folder, and the results it writes there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.trajectories.trajectory import Segment


def read_inputs(folder: Path, required: Sequence[str]) -> dict[str, Any]:
    """Read ``inputs.json``.

    :raises ValueError: if it is absent, not JSON, or lacks a key.
    """
    try:
        inputs = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"inputs.json cannot be read: {error}") from error
    missing = [name for name in required if name not in inputs]
    if missing:
        raise ValueError(f"inputs.json lacks {', '.join(missing)}")
    return dict(inputs)


def load_segment(folder: Path, files: Mapping[str, str]) -> Segment:
    """Open one segment; positions stay on disk.

    :raises ValueError: for a missing or unreadable file, or steps that do not match the times.
    """
    positions = load_array(folder, files, "positions", mapped=True)
    times = load_array(folder, files, "times")
    if "steps" in files:
        steps = load_array(folder, files, "steps")
        if steps.shape != times.shape or (len(steps) > 1 and np.any(np.diff(steps) <= 0)):
            raise ValueError(f"{files['steps']}: steps must increase and match the number of times")
    return Segment(positions, times, load_array(folder, files, "cells"))


def load_array(folder: Path, files: Mapping[str, str], name: str, mapped: bool = False) -> Any:
    """Load one array of a segment, never a pickle.

    :raises ValueError: if it is not named, absent or unreadable.
    """
    if name not in files:
        raise ValueError(f"a segment names no file for its {name}")
    try:
        return np.load(folder / files[name], mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{files[name]} cannot be read as an array: {error}") from error


def write_results(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Write ``results.json`` atomically: to a temporary file, then renamed."""
    draft = folder / "results.json.part"
    draft.write_text(json.dumps(outcome, indent=1, allow_nan=False), encoding="utf-8")
    draft.replace(folder / "results.json")
