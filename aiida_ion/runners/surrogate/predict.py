"""Predicts materials with a surrogate: ``python -m aiida_ion.runners.surrogate.predict`` in its folder.

Reads ``inputs.json`` (``device``, ``threads``, ``materials``), ``dataset.npz`` and ``model.safetensors``; writes
``predictions.npz`` (``log10_slope``, ``std``, ``interval95``, ``in_domain``, ``domain_distance``, ``seconds``) and at
last ``results.json`` with the ``reasons`` why a material is outside the domain of the model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, run_program, versions
from aiida_ion.runners.surrogate.train import PACKAGES, prepare

ARRAYS = ("log10_slope", "std", "interval95", "in_domain", "domain_distance", "seconds")


def main() -> int:
    """Predict; the exit status is 0 whenever ``results.json`` was written."""
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    inputs = json.loads(Path("inputs.json").read_text())
    device, _ = prepare(inputs, results, ledger)
    import numpy as np

    from aiida_ion.surrogate.checkpoint import load_model
    from aiida_ion.surrogate.dataset import read_dataset
    from aiida_ion.surrogate.prediction import predict

    try:
        model = load_model(Path("model.safetensors"))
        predictions = predict(model, read_dataset(Path("dataset.npz"), inputs.get("materials")), device)
    except ValueError as error:
        raise RunnerError("invalid_input", str(error)) from error
    np.savez("predictions.npz", **{name: getattr(predictions, name) for name in ARRAYS})
    n_outside = int((~predictions.in_domain).sum())
    results |= {
        "status": "finished",
        "message": f"{len(predictions.log10_slope)} materials, {n_outside} of them unlike those that were learnt from",
        "reasons": predictions.reasons,
        "conformal_halfwidth_dex": model.halfwidth_dex,
        "said": dict(model.said),
        "versions": versions(PACKAGES),
    }


if __name__ == "__main__":
    sys.exit(main())
