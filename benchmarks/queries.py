"""Seconds and SQL statements of each query table, and of each filter, over databases of rising size.

    python benchmarks/queries.py --results 1000 10000 100000

Each size is a throw-away SQLite profile of synthetic results; see many_results.py. Processor time is printed beside
the wall time, which other programs on the machine lengthen. `--profile NAME` measures a profile that is there instead.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

TABLES = ("materials", "runs", "diffusion", "conductivity", "comparison", "cost", "potentials")
#: Of the middle of what `many_results` writes; the group holds a hundred work chains at most.
FILTERS: dict[str, dict[str, Any]] = {
    "elements": {"elements": ("Li", "Cl")},
    "formula": {"formula": "Li3AlBr4"},
    "level of theory": {"level_of_theory": "SevenNet 7net-0"},
    "temperature": {"temperature_K": (1100.0, 1300.0)},
    "grade": {"grades": ("C",)},
    "group": {"group": "campaign"},
    "since": {"since": datetime(2026, 1, 1, 1, tzinfo=UTC)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=int, nargs="+", default=[1000, 10_000], help="sizes (default 1000 10000)")
    parser.add_argument("--profile", nargs="+", help="profiles that are there, instead of making any")
    arguments = parser.parse_args()
    if arguments.profile:
        for name in arguments.profile:
            measure_profile(name)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = folder
        from benchmarks.many_results import fill, make_profile

        for n_results in arguments.results:
            make_profile(f"results-{n_results}")
            start = time.monotonic()
            fill(n_results)
            print(f"{n_results} results written in {time.monotonic() - start:.0f} s\n", flush=True)
            measure()


def measure_profile(name: str) -> None:
    from aiida import load_profile

    load_profile(name, allow_switch=True)
    print(f"{name}\n")
    measure()


def measure() -> None:
    """Print the cost of every table, then of the diffusion table with each filter."""
    print("| table | filter | rows | wall s | processor s | statements |")
    print("|---|---|---|---|---|---|")
    for name in TABLES:
        row(name, "none", {})
    for words, choice in FILTERS.items():
        row("diffusion", words, choice)
    print(flush=True)


def row(name: str, words: str, choice: dict[str, Any]) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from aiida_ion import queries

    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    wall, processor = time.monotonic(), time.process_time()
    table = getattr(queries, name)(queries.Selection(**choice))
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    event.remove(Engine, "before_cursor_execute", note)
    n_statements = sum("SAVEPOINT" not in statement for statement in seen)
    print(f"| {name} | {words} | {len(table)} | {wall:.2f} | {processor:.2f} | {n_statements} |", flush=True)


if __name__ == "__main__":
    main()
