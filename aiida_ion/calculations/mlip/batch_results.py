"""What a batch of replicas left: each replica read as a single run is, and how the whole ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common.links import LinkType
from aiida.engine import ExitCode

from aiida_ion.calculations.md import md_outputs, progressed, symbols_of
from aiida_ion.calculations.mlip.job import with_fingerprint
from aiida_ion.calculations.mlip.md import read_run
from aiida_ion.calculations.mlip.replicas import REPLICAS, first_step, settings_of, structure_of
from aiida_ion.calculations.script import STATUS_EXIT_CODES, UNREADABLE, ScriptParser
from aiida_ion.endings import Ending

#: Of a replica of a job that was killed.
STOPPED = "stopped"
#: Statuses of replicas that can be continued, or started.
UNFINISHED = ("waiting", "walltime", "terminated", STOPPED)
#: Of a replica whose files cannot be read.
UNREADABLE_STATUS = "unreadable"


class BatchMdParser(ScriptParser):
    """Reads the files of each replica as those of a single run, also of a job that was killed."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the results of all replicas, then return how the batch ended."""
        try:
            results = self.read_results()
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        known = with_fingerprint(self.node.inputs, results or {})
        folder = Path(retrieved_temporary_folder or "")
        self.inputs: dict[str, Any] = self.node.base.links.get_incoming(link_type=LinkType.INPUT_CALC).nested()
        keys = self.inputs["replicas"].get_dict()
        statuses = {key: self._parse_replica(folder, key, known) for key in keys}
        self.out("statuses", orm.Dict(statuses))
        self.attach_ledger(known)
        return self._exit_code(results, statuses)

    def _parse_replica(self, folder: Path, key: str, results: Mapping[str, Any]) -> dict[str, Any]:
        """Attach what a replica has; return its status."""
        inputs, place = self.inputs, folder / REPLICAS / key
        entry, first = (results.get("replicas") or {}).get(key), first_step(inputs, key)
        status = {"status": STOPPED if entry is None else entry["status"], "message": "", "first_step": first}
        status |= {"last_step": first} | ({"message": entry["message"]} if entry is not None else {})
        if status["status"] == "waiting" or not (place / "positions.npy").exists():
            return status
        structure = structure_of(inputs, key)
        try:
            run = read_run(place, entry, structure, first)
            run = replace(run, cost={}, versions=results.get("versions", {}))
            outputs = md_outputs(run, symbols_of(structure), settings_of(inputs, key), inputs.get("watch"))
        except UNREADABLE as error:
            return status | {"status": UNREADABLE_STATUS, "message": f"Its files cannot be read: {error}"}
        if "trajectory" in outputs:
            origin = {"structure_uuid": structure.uuid, "replica": key}
            outputs["trajectory"].base.attributes.set_many(origin)
        for name, port in (("trajectory", "trajectories"), ("thermo", "thermo"), ("state", "states")):
            if name in outputs:
                self.out(f"{port}.{key}", outputs[name])
        if entry is not None and results.get("cost") and entry.get("n_steps") is not None:
            self.out(f"costs.{key}", orm.Dict(share_of(results["cost"], entry)))
        if progressed(first, run):
            status["last_step"] = int(run.state["step"])
        return status

    def _exit_code(self, results: dict[str, Any] | None, statuses: Mapping[str, Mapping[str, Any]]) -> ExitCode | None:
        """Return how the batch ended: early where a replica can be continued, with a warning where one failed."""
        has_progress = any(one["last_step"] > one["first_step"] for one in statuses.values())
        if results is None or results["status"] == "disk_full":
            return self._exit_code_of_killed(results, has_progress)
        if results["status"] not in ("finished", "walltime", "terminated"):
            return self.exit_code_of_status(results)
        if any(one["status"] in UNFINISHED for one in statuses.values()):
            label = "ERROR_OUT_OF_WALLTIME" if has_progress else "ERROR_OUT_OF_WALLTIME_NO_RESTART"
            return self.exit_code(label, str(results["message"]))
        return self._exit_code_of_failed(statuses)

    def _exit_code_of_killed(self, results: dict[str, Any] | None, has_progress: bool) -> ExitCode:
        ending = self.ending() if results is None else Ending("disk_full", str(results.get("message") or ""))
        if has_progress:
            return self.exit_code("ERROR_OUT_OF_WALLTIME", ending.message)
        return self.exit_code_of_ending(ending, "ERROR_OUT_OF_WALLTIME_NO_RESTART")

    def _exit_code_of_failed(self, statuses: Mapping[str, Mapping[str, Any]]) -> ExitCode | None:
        """Return a warning where some replicas failed, an error where all did."""
        failed = {key: one for key, one in statuses.items() if one["status"] != "finished"}
        if not failed:
            return None
        key, first = next(iter(failed.items()))
        detail = f"{len(failed)} of {len(statuses)} replicas, the first, {key}: {first['message']}"
        if len(failed) < len(statuses):
            return self.exit_code("WARNING_INCOMPLETE", detail)
        return self.exit_code(STATUS_EXIT_CODES.get(str(first["status"]), "ERROR_PROGRAM_FAILED"), detail)


def share_of(cost: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cost of one replica: its share of the time of the job, which is that of its atoms times steps.

    :param cost: of the job; its steps are those of all replicas.
    :param entry: what the program says of the replica: ``share``, ``n_steps`` and ``n_atoms``.
    """
    share, n_steps = float(entry["share"]), int(entry["n_steps"])
    times = {
        name: cost[name] * share for name in ("wall_time_s", "cpu_time_s", "gpu_time_s") if cost.get(name) is not None
    }
    loop_s = share * cost["n_steps"] / cost["steps_per_s"] if cost.get("steps_per_s") else 0.0
    same = ("peak_memory_MiB", "peak_gpu_memory_MiB", "device", "hardware", "threads")
    return {
        **times,
        **{name: cost[name] for name in same if name in cost},
        "n_steps": n_steps,
        "steps_per_s": n_steps / loop_s if loop_s > 0 else 0.0,
        "n_atoms": entry["n_atoms"],
        "share": share,
    }
