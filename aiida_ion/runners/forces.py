"""Energies and forces of stored frames with any ASE calculator: ``python -m aiida_ion.runners.forces`` in a folder.

Reads ``inputs.json`` (``{"potential": ..., "batch_size": null, "max_seconds": null, "frames": [["segment", 17]]}``,
where ``frames`` says what each frame is) and ``frames.npz`` (``numbers`` (N,), ``positions`` (n, N, 3) and
``cells`` (n, 3, 3), float64, angstrom). Writes ``forces.npy`` (n, N, 3; float32; eV/angstrom) and ``energies.npy``
(n,; float64; eV) frame by frame, ``progress.json``, and at last ``results.json``, which says how many are valid.

Frames of different atoms follow each other in ``frames.npz`` with ``offsets`` (n + 1,), whole numbers from 0 to the
number P of all their atoms: ``numbers`` (P,), ``positions`` (P, 3); ``forces.npy`` is (P, 3) then.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, limit_threads, run_program


def main() -> int:
    """Evaluate the frames; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    from aiida_ion.runners.evaluation import evaluate_frames  # NumPy starts its threads here, after they were limited

    evaluate_frames(results, ledger)


if __name__ == "__main__":
    sys.exit(main())
