"""Trajectories in ASE's own format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ase.io.trajectory import TrajectoryReader
from ase.units import fs

from aiida_ion.trajectory_files.ase.frames import AtomsFrames
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.opening import unpacked


def read_traj(path: Path, symbols: Sequence[str] | None) -> FileFrames:  # noqa: ARG001 - the signature of every reader
    """Read an ASE trajectory; time step and temperature come from the description that ASE's dynamics writes.

    :raises ValueError: if it is not valid.
    """
    atoms_frames = AtomsFrames()
    with unpacked(path) as file, _opened(file) as frames:
        if len(frames) == 0:
            raise ValueError("it holds no frame")
        facts = _facts(frames.description)
        for frame in range(len(frames)):
            try:
                atoms = frames[frame]
            except Exception as error:  # a truncated file can end anywhere
                if frame < len(frames) - 1:
                    reason = " ".join(str(error).split())[:100] or type(error).__name__
                    raise ValueError(f"frame {frame} cannot be read: {reason}") from error
                atoms_frames.leave_out(frame)
                break
            atoms_frames.append(atoms)
    return atoms_frames.frames("angstrom", facts)


def _opened(file: Path) -> TrajectoryReader:
    """Open a trajectory.

    :raises ValueError: if its index cannot be read.
    """
    try:
        return TrajectoryReader(str(file))
    except Exception as error:  # ASE can raise any exception on a broken file
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise ValueError(f"it is cut off, damaged, or not an ASE trajectory ({reason})") from error


def _facts(description: object) -> dict[str, Any]:
    """Return what ASE's dynamics stated in the file."""
    if not isinstance(description, Mapping):
        return {"program": "ASE"}
    kind = description.get("type")
    if kind == "optimization":
        raise ValueError(f"it is a relaxation ({description.get('optimizer', 'of ASE')}), not molecular dynamics")
    facts: dict[str, Any] = {"program": f"ASE {description.get('md-type', '')}".strip()}
    for name, key, factor in (("timestep_fs", "timestep", 1 / fs), ("target_temperature_K", "temperature_K", 1.0)):
        value = description.get(key)
        if isinstance(value, (int, float)) and value > 0:
            facts[name] = round(value * factor, 9)
    interval = description.get("interval")
    if kind == "molecular-dynamics" and isinstance(interval, int) and interval > 0:
        facts["sample_every"] = interval
    return facts
