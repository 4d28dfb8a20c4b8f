"""Bond valence site energies of many crystals: ``python -m aiida_ion.runners.screening.bvse`` in its folder.

Reads ``inputs.json`` (``structures``, ``settings``, ``threads``, ``max_seconds``); writes a line of ``results.jsonl``
for each crystal, and at last ``results.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, run_program, versions
from aiida_ion.runners.screening.batch import Material, RefusedError, read_materials, run_batch
from aiida_ion.runners.screening.maps import keep_map

PACKAGES = ("pymatgen", "spglib")


def main() -> int:
    """Compute; the exit status is 0 whenever ``results.json`` was written."""
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    del ledger
    inputs = _read()
    try:
        from aiida_ion.analysis.energy_maps.bvse import NotApplicableError, bvse_method_hash, bvse_with_map
        from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
    except ImportError as error:
        raise RunnerError("engine_import_failed", f"this Python lacks a library: {error}; pip install it") from error
    try:
        settings = BvseSettings.from_dict(inputs["settings"])
    except (KeyError, ValueError) as error:
        raise RunnerError("invalid_input", f"settings cannot be read: {error}") from error

    def work(material: Material) -> dict[str, Any]:
        try:
            result, energies = bvse_with_map(material.structure(), settings)
        except NotApplicableError as error:
            raise RefusedError(str(error)) from error
        keep = (settings.keep_map, settings.max_map_points)
        return keep_map(result, energies, result["barriers_eV"], material.label, *keep)

    always = {
        "method": "bvse",
        "method_hash": bvse_method_hash(settings),
        "mobile_species": settings.mobile_species,
        "settings": settings.to_dict(),
    }
    results["versions"] = versions(PACKAGES)
    run_batch(results, read_materials(inputs), work, always, inputs.get("max_seconds"))


def _read() -> dict[str, Any]:
    """Return the content of ``inputs.json``.

    :raises RunnerError: ``invalid_input`` if it cannot be read.
    """
    try:
        inputs: dict[str, Any] = json.loads(Path("inputs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunnerError("invalid_input", f"inputs.json cannot be read: {error}") from error
    return inputs


if __name__ == "__main__":
    sys.exit(main())
