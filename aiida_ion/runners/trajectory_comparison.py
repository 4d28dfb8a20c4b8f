"""Program that compares trajectories of two levels of theory: inputs.json in, results.json out.

Run as ``python -m aiida_ion.runners.trajectory_comparison`` in a folder that holds ``inputs.json`` and the arrays it
names, with ``aiida_ion.analysis`` and ``aiida_ion.units`` importable. ``results.json`` is written last and whole:
without it the program has not finished.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.forces import compare_forces
from aiida_ion.analysis.comparison.segments import ComparedSegment, EvaluatedForces
from aiida_ion.analysis.comparison.settings import ComparisonSettings
from aiida_ion.analysis.comparison.structure import compare_structure
from aiida_ion.analysis.trajectories.segment_files import load_array, read_inputs, write_results

PACKAGES = ("numpy", "scipy", "ase", "pymatgen")
REQUIRED = ("levels_of_theory", "trajectories", "reference_trajectories", "reference_thermo", "forces")


def main() -> None:
    """Compare what lies in the current folder; exit 0 whenever results.json was written."""
    started = time.perf_counter()
    folder = Path.cwd()
    try:
        inputs = read_inputs(folder, REQUIRED)
        settings = ComparisonSettings.from_dict(inputs.get("settings") or {})
        findings = compare(folder, inputs, settings)
    except ValueError as error:
        outcome: dict[str, Any] = {"status": "invalid_input", "message": " ".join(str(error).split())}
    except MemoryError:
        outcome = {"status": "out_of_memory", "message": "Not enough memory: ask for more, or compare shorter runs."}
    else:
        np.savez(folder / "arrays.npz", **findings.arrays)  # type: ignore[arg-type]
        outcome = {"status": "finished", "message": f"{len(findings.missing)} things could not be compared."}
        outcome |= {"findings": findings.attributes, "missing": findings.missing, "settings": settings.to_dict()}
        outcome["levels_of_theory"] = inputs["levels_of_theory"]
    cost = {"wall_time_s": time.perf_counter() - started, "cpu_time_s": time.process_time()}
    write_results(folder, outcome | {"versions": versions(), "cost": cost})


def compare(folder: Path, inputs: dict[str, Any], settings: ComparisonSettings) -> Findings:
    """Compare what ``inputs`` describes.

    :raises ValueError: for a missing or unreadable file.
    """
    levels = inputs["levels_of_theory"]
    sides = [load_segments(folder, inputs[name]) for name in ("trajectories", "reference_trajectories")]
    thermo = {key: load_arrays(folder, files) for key, files in inputs["reference_thermo"].items()}
    findings = compare_forces(load_forces(folder, inputs["forces"]), sides, thermo, levels)
    findings.add(compare_structure(sides, levels, settings))
    return findings


def load_segments(folder: Path, segments: Mapping[str, Mapping[str, Any]]) -> dict[str, ComparedSegment]:
    """Open the segments of a level of theory; their arrays stay on disk."""
    return {
        key: ComparedSegment(
            symbols=list(segment["symbols"]),
            temperature_K=segment["temperature_K"],
            seed=segment["seed"],
            arrays=load_arrays(folder, segment["files"]),
        )
        for key, segment in segments.items()
    }


def load_forces(folder: Path, forces: Mapping[str, Any] | None) -> EvaluatedForces | None:
    """Open forces on frames of the reference, where there are any."""
    if forces is None:
        return None
    return EvaluatedForces(forces["segments"], forces["symbols"], load_arrays(folder, forces["files"]))


def load_arrays(folder: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """Open arrays under their names."""
    return {name: load_array(folder, files, name, mapped=True) for name in files}


def versions() -> dict[str, str]:
    """Versions of everything that matters for the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


if __name__ == "__main__":
    main()
