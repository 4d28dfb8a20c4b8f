"""Barriers of many hops: ``python -m aiida_ion.runners.migration.hops`` in a folder.

Reads ``inputs.json`` (``{"potential": ..., "hop_settings": {...}, "max_seconds": null, "mobile_species": "Li",
"network": {...}, "labels": [...]}``, the network as :class:`aiida_ion.analysis.migration.network_data.HopNetwork`
writes it) and ``structure.json``, the crystal. Appends one line for each hop to ``hops.jsonl``, flushed, as soon as it
is done: a job that is killed loses the hop that it was at. Writes ``results.json`` at last.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, limit_threads, run_program

FILENAME_HOPS = "hops.jsonl"


def main() -> int:
    """Compute the hops; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(_body)


def _body(results: dict[str, Any], ledger: Ledger) -> None:
    from aiida_ion.analysis.migration.cells import cells_of
    from aiida_ion.analysis.migration.network_data import HopNetwork
    from aiida_ion.runners.migration.hop import compute_hop
    from aiida_ion.runners.migration.relaxing import OutOfTimeError, Stop
    from aiida_ion.runners.potentials import describe_potential, load_potential
    from aiida_ion.runners.run_inputs import potential_inputs, read_inputs, read_structure, require
    from aiida_ion.settings.migration import HopSettings

    inputs = read_inputs(Path("inputs.json"))
    host, chosen = read_structure(Path("structure.json")), potential_inputs(inputs)
    try:
        settings = HopSettings.from_dict(inputs.get("hop_settings") or {})
        network = HopNetwork.from_dict(inputs["network"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunnerError("invalid_input", f"inputs.json: {error}") from error
    labels = inputs.get("labels") or [hop.label for hop in network.hops]
    require(set(labels) <= {hop.label for hop in network.hops}, "labels names hops that the network has not")
    results["units"] = {"positions": "angstrom", "energies": "eV", "forces": "eV/angstrom", "cell": "angstrom"}
    results["engine"] = {"potential": chosen.name, "device": chosen.device, "threads": chosen.threads}
    if chosen.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(chosen, host.numbers)
    describe_potential(results, potential)
    crystal = host.copy()
    crystal.calc = potential.calculator
    results["host_energy_eV"] = float(crystal.get_potential_energy())
    limit_s = inputs.get("max_seconds")
    stop = Stop(lambda: limit_s is not None and ledger.elapsed_s() > float(limit_s))
    done: list[str] = []
    Path(FILENAME_HOPS).unlink(missing_ok=True)
    for hop in network.hops:
        if hop.label not in labels:
            continue
        try:
            cells = cells_of(network, hop, host, str(inputs["mobile_species"]))
            results["n_atoms"] = len(cells.start)
            result = compute_hop(
                cells.start, cells.end, cells.moving, hop.is_symmetric, potential.calculator, settings, stop
            )
        except OutOfTimeError:
            message = f"The wall time is over after {len(done)} of {len(labels)} hops."
            results |= {"status": "walltime", "message": message, "done": done}
            return
        ledger.n_steps += int(result.values["calls"])
        append_line(Path(FILENAME_HOPS), {"label": hop.label, **result.record()})
        done.append(hop.label)
    ledger.loop_wall_s = ledger.elapsed_s()
    results |= {"status": "finished", "message": f"{len(done)} hops are done.", "done": done}


def append_line(path: Path, content: dict[str, Any]) -> None:
    """Append a line of JSON to a file, and wait until it is on the disk."""
    with path.open("a") as stream:
        stream.write(json.dumps(content, allow_nan=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
