"""Files of crystals that are wrong, odd or damaged: each is read right, or refused with one sentence.

``python -m benchmarks.hostile.crystals`` tries all of them and counts what is right, tracebacks and what was accepted
in silence.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from aiida_ion.crystal_files.read import read_crystal
from aiida_ion.crystal_files.report import lines_of
from benchmarks.crystals_on_file.cif_sites import sites, species
from benchmarks.crystals_on_file.cif_texts import cells, texts
from benchmarks.crystals_on_file.makers import Hostile
from benchmarks.crystals_on_file.other_formats import extended_xyz, other_formats
from benchmarks.crystals_on_file.poscars import poscars
from benchmarks.crystals_on_file.symmetries import symmetries
from benchmarks.hostile.hostile_input import HostileInput

GROUPS = (symmetries, species, sites, cells, texts, poscars, extended_xyz, other_formats)


def files() -> list[Hostile]:
    """Return all of them."""
    return [one for group in GROUPS for one in group()]


def outcome(one: Hostile, folder: Path) -> str:
    """Return ``right``, or what is wrong with how a file is read.

    :param folder: where it is written.
    """
    path = folder / one.file
    path.write_bytes(one.content)
    try:
        report = read_crystal(path).report
    except ValueError as error:
        message = str(error)
        if one.formula:
            return f"refused: {message}"
        clear = "\n" not in message and message.startswith(one.file) and one.words in message
        return "right" if clear else f"unclear: {message}"
    except Exception as error:  # counted
        return f"traceback: {type(error).__name__}: {error}"
    words = "\n".join(lines_of(report.attributes()))
    if not one.formula:
        return f"silent: {words}"
    return "right" if report.formula == one.formula and one.words in words else f"wrong: {words}"


def inputs(folder: Path) -> list[HostileInput]:
    """Return those to be refused, as ``benchmarks/hostile.py`` collects them."""

    def reader(one: Hostile, number: int) -> Callable[[], object]:
        path = folder / f"crystal_{number:03}" / one.file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(one.content)
        return lambda: read_crystal(path)

    return [
        HostileInput(f"crystal file: {one.name} ({number})", reader(one, number), re.escape(one.words))
        for number, one in enumerate(files())
        if not one.formula
    ]


def main() -> int:
    """Try all, print what is not right, and count."""
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for one in files():
            signal.alarm(60)  # none may take a minute
            result = outcome(one, Path(folder))
            kind = result.partition(":")[0]
            counts[kind] = counts.get(kind, 0) + 1
            if result != "right":
                print(f"{one.name}: {result}")
    refused = sum(not one.formula for one in files())
    print(f"{len(files())} files, {refused} to be refused: {counts}")
    return int(set(counts) != {"right"})


if __name__ == "__main__":
    sys.exit(main())
