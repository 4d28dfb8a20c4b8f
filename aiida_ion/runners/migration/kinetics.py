"""Transport on a network of hops: ``python -m aiida_ion.runners.migration.kinetics`` in a folder.

Reads ``inputs.json`` (``{"network": ..., "transport": ...}``: sites and saddles in eV, null where not known, pairs,
vectors, steps in angstrom, volume in cubic angstrom; settings of
:class:`~aiida_ion.settings.migration.TransportSettings`) and writes ``results.json``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, limit_threads, run_program


def main() -> int:
    """Compute transport; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    from aiida_ion.runners.migration.transport import transport_of
    from aiida_ion.runners.run_inputs import read_inputs
    from aiida_ion.settings.migration import TransportSettings

    inputs = read_inputs(Path("inputs.json"))
    try:
        settings = TransportSettings.from_dict(inputs.get("transport") or {})
        values = transport_of(inputs["network"], settings)
    except (KeyError, TypeError, ValueError) as error:
        raise RunnerError("invalid_input", f"{type(error).__name__}: {error}") from error
    ledger.n_steps = int(values.get("n_events") or 0)
    ledger.loop_wall_s = ledger.elapsed_s()
    results |= {"status": "finished", "message": "Transport is computed.", "kinetics": values}


if __name__ == "__main__":
    sys.exit(main())
