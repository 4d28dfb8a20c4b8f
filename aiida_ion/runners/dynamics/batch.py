"""Many runs in one process: each step of all of them shares evaluations of one potential.

The steps are those of :mod:`aiida_ion.runners.dynamics.simulation`, with ASE's integrators and a generator of random
numbers for each run: a replica has the same noise alone, in any batch, and after a restart. Forces from a batch and
from the calculator differ by rounding, and so do trajectories; with calculators of their own they are the same.
"""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from aiida_ion.runners.batches import ATOMS_AT_ONCE, batch_of
from aiida_ion.runners.dynamics.batch_forces import BatchForces, FrameForces, own_forces
from aiida_ion.runners.dynamics.recorder import UNITS
from aiida_ion.runners.dynamics.replica import REPLICAS, BatchState, Replica
from aiida_ion.runners.output import Ledger, RunnerError, write_json
from aiida_ion.runners.potentials import Potential, describe_potential, load_potential, require_elements
from aiida_ion.runners.run_inputs import (
    PotentialInputs,
    potential_inputs,
    read_inputs,
    read_structures,
    require,
)
from aiida_ion.runners.stops import StopSignal, usable_seconds

TICK_S, RECENT = 1.0, 100
#: The restart files of all runs are written this many times as far apart as it takes, at least.
SAVES_APART = 20.0
KEY = re.compile(r"[A-Za-z0-9_]+")
#: Potentials of which each run has a calculator of its own, whose pair list is part of its state.
OWN_CALCULATORS = ("lj", "emt")
#: Atoms of all runs that are under way together. Of a GPU with little memory fewer are, after the first try.
BATCH_ATOMS = {"cpu": ATOMS_AT_ONCE["cpu"], "cuda": 20_000}
#: Statuses of runs that can be continued.
UNFINISHED = ("waiting", "walltime", "terminated")


def simulate_batch(results: dict[str, Any], ledger: Ledger) -> None:
    """Run the replicas that the working folder describes; fill its results.

    :param results: gets status, message, versions, and in ``replicas`` what a single run says of itself, for each.
    :param ledger: gets the costs, of the steps of all runs together.
    :raises RunnerError: for what keeps all runs from starting, or ends all.
    """
    inputs = read_inputs(Path("inputs.json"))
    settings = potential_inputs(inputs)
    deadline_s = ledger.start_s + usable_seconds(inputs.get("max_seconds"))
    given = inputs.get("atoms_at_once")
    require(given is None or _is_count(given), "atoms_at_once must be a whole number above zero, or null")
    atoms_at_once = given or BATCH_ATOMS["cuda" if settings.device.startswith("cuda") else "cpu"]
    batch = BatchState("", StopSignal())
    replicas = _read_replicas(inputs, batch)
    results |= {"units": UNITS, "replicas": {replica.key: replica.results for replica in replicas}}
    results["engine"] = {"potential": settings.name, "device": settings.device, "threads": settings.threads}
    if settings.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(settings, [])
    describe_potential(results, potential)
    batch.fingerprint = potential.fingerprint(settings.name)
    run = BatchRun(replicas, batch, settings, potential, atoms_at_once)
    begin = time.monotonic()
    try:
        run.run(deadline_s)
        results |= _outcome(replicas, batch)
    finally:
        ledger.n_steps, ledger.loop_wall_s = sum(one.n_steps_done for one in replicas), time.monotonic() - begin
        results |= {"atoms_at_once": run.atoms_at_once, "n_rounds": run.n_rounds, "evaluation_s": run.evaluation_s}
        results["restart_written_s"] = sum(replica.restart_s for replica in replicas)
        work = {replica.key: replica.n_atoms * replica.n_steps_done for replica in replicas}
        total = sum(work.values())
        for replica in replicas:
            share = work[replica.key] / total if total else 1.0 / len(replicas)
            replica.results |= {"n_atoms": replica.n_atoms, "n_steps": replica.n_steps_done, "share": share}


class BatchRun:
    """Replicas that are under way together, and those that wait for room.

    :param replicas: in the order in which they start.
    :param batch: what all are told.
    :param settings: the inputs of the potential.
    :param potential: the one that all share.
    :param atoms_at_once: most atoms that are under way together, but for a single run.
    """

    def __init__(
        self,
        replicas: list[Replica],
        batch: BatchState,
        settings: PotentialInputs,
        potential: Potential,
        atoms_at_once: int,
    ) -> None:
        self.replicas, self.batch = replicas, batch
        self.waiting, self.active = list(replicas), list[Replica]()
        self.n_rounds, self.evaluation_s = 0, 0.0
        self._settings, self._potential = settings, potential
        self._atoms_at_once = atoms_at_once
        self._has_own = settings.name in OWN_CALCULATORS
        self._forces: BatchForces | None = None
        if not self._has_own:
            in_batches = batch_of(settings.name, potential.calculator)
            message = f"the potential {settings.name} does not evaluate batches as it is set: run one by one"
            require(in_batches is not None, message)
            assert in_batches is not None
            self._forces = BatchForces(potential.calculator, in_batches, atoms_at_once)

    @property
    def atoms_at_once(self) -> int:
        """Most atoms that are under way together: fewer than at the start where memory ran out."""
        return self._atoms_at_once if self._forces is None else self._forces.atoms_at_once

    def run(self, deadline_s: float) -> None:
        """Run all to their ends, or to the deadline or a signal.

        :param deadline_s: monotonic time at which all must have written their ends, s; infinite for none.
        """
        begin = previous = time.monotonic()
        recent = deque([0.0], maxlen=RECENT)
        every_s = min((one.restart_every_s for one in self.replicas), default=60.0)
        tick, save = begin + TICK_S, begin + every_s
        while self.active or self.waiting:
            left_s = deadline_s - previous - sum(one.restart_s for one in self.active)
            if self.batch.stop.name:
                self.batch.ending = "terminated"
            elif 2.0 * max(recent) >= left_s:
                self.batch.ending = "walltime"
            if not self.batch.ending:
                self._admit()
            if not self.active:
                return
            self._advance()
            now = time.monotonic()
            recent.append(now - previous)
            previous = now
            if now >= save:
                self.batch.n_saves += 1
                save = now + max(every_s, SAVES_APART * sum(one.restart_s for one in self.active))
            if now >= tick:
                self._report(now - begin)
                tick = now + TICK_S

    def _admit(self) -> None:
        """Start those that wait, in their order, as far as there is room; a small one may pass a large one."""
        for replica in list(self.waiting):
            under_way = sum(one.n_atoms for one in self.active)
            if self.active and under_way + replica.n_atoms > self.atoms_at_once:
                continue
            self.waiting.remove(replica)
            try:
                require_elements(self._settings.name, self._potential, replica.numbers)
                own = load_potential(self._settings, []).calculator if self._has_own else None
            except RunnerError as error:
                replica.fail(error)
                continue
            replica.begin(own)
            if not replica.has_ended:
                self.active.append(replica)

    def _advance(self) -> None:
        """Evaluate what all wait for, and let each go on; those that end make room."""
        begin = time.monotonic()
        answers = self._evaluate()
        self.evaluation_s += time.monotonic() - begin
        self.n_rounds += 1
        for replica, answer in zip(self.active, answers, strict=True):
            replica.give(answer)
        self.active = [replica for replica in self.active if not replica.has_ended]

    def _evaluate(self) -> list[FrameForces]:
        requests = [replica.request for replica in self.active]
        if self._forces is None:
            return [
                own_forces(one.own, *ask) for one, ask in zip(self.active, requests, strict=True) if ask is not None
            ]
        return self._forces.evaluate([ask.frame for ask in requests if ask is not None])

    def _report(self, elapsed_s: float) -> None:
        step, n_steps = sum(one.step for one in self.replicas), sum(one.n_steps for one in self.replicas)
        rate = sum(one.n_steps_done for one in self.replicas) / elapsed_s
        progress = {
            "step": step,
            "n_steps": n_steps,
            "steps_per_s": rate,
            "seconds_left": (n_steps - step) / rate if rate else None,
            "n_running": len(self.active),
            "n_waiting": len(self.waiting),
        }
        write_json(Path("progress.json"), progress)


def _read_replicas(inputs: dict[str, Any], batch: BatchState) -> list[Replica]:
    """Return the replicas that the inputs list; their restart files are read when they start."""
    listed = inputs.get("replicas")
    require(isinstance(listed, list) and bool(listed), "inputs.json lacks 'replicas'")
    structures = read_structures(Path("structures.json"))
    replicas: list[Replica] = []
    for entry in listed or []:
        require(isinstance(entry, dict) and {"key", "structure", "md"} <= entry.keys(), "a replica lacks its inputs")
        key, name = str(entry["key"]), entry["structure"]
        require(KEY.fullmatch(key) is not None, f"the key {key!r} has other characters than letters, digits and _")
        require(name in structures, f"replica {key}: there is no structure {name!r}")
        (REPLICAS / key).mkdir(parents=True, exist_ok=True)
        replicas.append(Replica(key, entry, structures[name].copy(), batch))
    twice = [key for key, count in Counter(one.key for one in replicas).items() if count > 1]
    require(not twice, f"two replicas have the key {twice[:1]}")
    return replicas


def _outcome(replicas: list[Replica], batch: BatchState) -> dict[str, Any]:
    """Return status and message of the batch: it is finished where no run can be continued."""
    counts = Counter(str(replica.results["status"]) for replica in replicas)
    counted = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    unfinished = sum(counts[status] for status in UNFINISHED)
    if not unfinished:
        return {"status": "finished", "message": f"All {len(replicas)} runs have ended: {counted}."}
    message = f"{unfinished} of {len(replicas)} runs can be continued from their restart files: {counted}."
    return {"status": batch.ending or "walltime", "message": message}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
