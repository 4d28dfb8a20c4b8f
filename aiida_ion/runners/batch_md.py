"""Molecular dynamics of many replicas in one process: ``python -m aiida_ion.runners.batch_md`` in its working folder.

Reads ``inputs.json`` (``{"potential": ..., "max_seconds": null, "atoms_at_once": null, "replicas": [{"key": "a",
"structure": "crystal", "md": ..., "charges": ..., "closest_allowed_A": ...}]}``), ``structures.json`` (by name), and
of each replica, in ``replicas/<key>``, ``restart.npz`` and ``initial_velocities.npy``, if they exist.
Writes there what ``aiida_ion.runners.md`` writes of a single run, ``progress.json``, and at last ``results.json``, with
the outcome of each replica under its key. A missing ``results.json`` means that the batch was killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, limit_threads, run_program


def main() -> int:
    """Run the batch; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    from aiida_ion.runners.dynamics.batch import (
        simulate_batch,
    )  # NumPy starts its threads here, after they were limited

    simulate_batch(results, ledger)


if __name__ == "__main__":
    sys.exit(main())
