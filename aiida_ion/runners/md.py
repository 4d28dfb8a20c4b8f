"""Molecular dynamics with any ASE calculator: ``python -m aiida_ion.runners.md`` in its working folder.

Reads ``inputs.json``, ``structure.json``, and, if they exist, ``restart.npz`` (a run to continue) and
``initial_velocities.npy``. Writes ``positions.npy``, ``steps.npy``, ``thermo.npy``, ``restart.npz``,
``progress.json`` and at last ``results.json``; a missing ``results.json`` means that the run did not finish.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, limit_threads, run_program


def main() -> int:
    """Run the segment; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    from aiida_ion.runners.dynamics.segment import simulate  # NumPy starts its threads here, after they were limited

    simulate(results, ledger)


if __name__ == "__main__":
    sys.exit(main())
