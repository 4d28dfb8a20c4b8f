"""Runs a function over many materials: each result is on the disk before the next material begins.

``inputs.json`` has ``structures``, a list of materials (:class:`Material`); ``results.jsonl`` gets one JSON object for
each of them. A material that cannot be computed gets a record as well: ``refused`` with what is wrong with it, or
``failed`` with the error. A batch that is stopped leaves whole lines, and one that is started again in the same folder
skips the materials that are there.
"""

from __future__ import annotations

import json
import math
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import RunnerError, is_out_of_memory
from aiida_ion.runners.screening.alarm import Alarm, StoppedError
from aiida_ion.runners.stops import usable_seconds
from aiida_ion.screening.records import FAILED, FILENAME_RECORDS, FINISHED, REFUSED, parse_records

RESULTS = Path(FILENAME_RECORDS)


class RefusedError(ValueError):
    """A material that the method cannot treat; the message says what is wrong with it, in one sentence."""


@dataclass(frozen=True)
class Material:
    """A material of a batch.

    :param label: name of its result.
    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param symbols: element of each atom.
    :param fractional: fractional coordinates, (n, 3).
    :param structure_hash: of the crystal, if it has one.
    :param refusal: why it cannot be computed, where that is known beforehand.
    """

    label: str
    cell_A: list[list[float]] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    fractional: list[list[float]] = field(default_factory=list)
    structure_hash: str | None = None
    refusal: str | None = None

    def atoms(self) -> Any:
        """Return the crystal as ``ase.Atoms``, periodic along all vectors."""
        from ase import Atoms

        return Atoms(symbols=self.symbols, scaled_positions=self.fractional, cell=self.cell_A, pbc=True)

    def structure(self) -> Any:
        """Return the crystal as a ``Structure`` of pymatgen, which the Python must have."""
        from pymatgen.core.structure import Structure

        return Structure(self.cell_A, self.symbols, self.fractional)


def read_materials(inputs: Mapping[str, Any]) -> list[Material]:
    """Return the materials that ``inputs.json`` lists.

    :raises RunnerError: ``invalid_input`` if there is none, or one is not described as :class:`Material` is.
    """
    try:
        materials = [Material(**entry) for entry in inputs["structures"]]
    except (KeyError, TypeError) as error:
        raise RunnerError("invalid_input", f"structures cannot be read: {error}") from error
    repeated = [label for label, count in Counter(material.label for material in materials).items() if count > 1]
    if not materials or repeated:
        named = f"more than one is called {', '.join(repeated)}" if repeated else "there is none"
        raise RunnerError("invalid_input", f"structures cannot be read: {named}")
    return materials


def run_batch(
    results: dict[str, Any],
    materials: Iterable[Material],
    work: Callable[[Material], Mapping[str, Any]],
    always: Mapping[str, Any],
    max_seconds: float | None = None,
    max_seconds_each: float | None = None,
) -> None:
    """Compute materials one after the other; write the record of each, and what became of all into the results.

    :param results: of the program; gets status, message and the numbers of records.
    :param work: returns the entries of a record; raises :class:`RefusedError` for a material that it cannot treat, and
        ``RunnerError`` for a fault that all materials share, which ends the batch.
    :param always: entries of every record: ``method``, ``method_hash``, ``mobile_species``.
    :param max_seconds: wall time of the program, s.
    :param max_seconds_each: wall time of one material, s: one that needs more has failed.
    :raises RunnerError: from ``work``, or for a time limit that is not positive.
    """
    materials = list(materials)
    deadline = time.monotonic() + usable_seconds(max_seconds)
    known = read_records(RESULTS)
    cut_last_line(RESULTS)
    reason = None
    with Alarm() as alarm, RESULTS.open("a", encoding="utf-8") as stream:
        for material in materials:
            if material.label in known:
                continue
            if reason := alarm.why_stop(deadline):
                break
            try:
                record = _record(material, work, always, alarm, deadline, max_seconds_each)
            except StoppedError:
                reason = alarm.why_stop(-math.inf)
                break
            known[material.label] = record
            stream.write(json.dumps(record, allow_nan=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    results |= _summary(materials, known, reason)


def read_records(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a file by the labels of their materials; a line that is not whole is left out."""
    if not path.exists():
        return {}
    return parse_records(path.read_text(encoding="utf-8", errors="replace"))


def cut_last_line(path: Path) -> None:
    """Remove what a kill left of a line that was being written."""
    if path.exists():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)


def _record(
    material: Material,
    work: Callable[[Material], Mapping[str, Any]],
    always: Mapping[str, Any],
    alarm: Alarm,
    deadline: float,
    max_seconds_each: float | None,
) -> dict[str, Any]:
    """Return the record of one material, whatever its computation does.

    :raises StoppedError: if the batch has to end.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    end = time.monotonic() + (max_seconds_each or math.inf)
    try:
        if material.refusal is not None:
            raise RefusedError(material.refusal)
        with alarm.armed(min(deadline, end)):
            outcome: Mapping[str, Any] = {"status": FINISHED, "message": ""} | dict(work(material))
            json.dumps(outcome, allow_nan=False)
    except RefusedError as error:
        outcome = _without_result(REFUSED, " ".join(str(error).split()))
    except RunnerError:
        raise
    except StoppedError:
        if alarm.signal or end >= deadline:
            raise
        outcome = _without_result(FAILED, f"it needs more than {max_seconds_each:g} s")
    except Exception as error:
        traceback.print_exc()
        memory = "out of memory; " if is_out_of_memory(error) else ""
        outcome = _without_result(FAILED, f"{memory}{type(error).__name__}: {' '.join(str(error).split())}")
    cost = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    identity = {"label": material.label, "structure_hash": material.structure_hash}
    return {**always, **identity, **outcome, "cost": cost | dict(outcome.get("cost") or {})}


def _without_result(status: str, message: str) -> dict[str, Any]:
    return {"status": status, "message": message, "barriers_eV": None}


def _summary(materials: list[Material], records: Mapping[str, Any], reason: tuple[str, str] | None) -> dict[str, Any]:
    """Return status and message of the batch, and how many of its materials have which record."""
    counts = Counter(records[material.label]["status"] for material in materials if material.label in records)
    n_done = sum(counts.values())
    done = ", ".join(f"{counts[word]} {word}" for word in (FINISHED, REFUSED, FAILED) if counts[word])
    message = f"{n_done} of {len(materials)} materials: {done or 'none'}"
    numbers = {f"n_{word}": counts[word] for word in (FINISHED, REFUSED, FAILED)}
    status, why = reason or ("finished", "")
    return {
        "status": status,
        "message": f"{message}; {why}" if why else message,
        "n_materials": len(materials),
    } | numbers
