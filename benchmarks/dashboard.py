"""Time the dashboard's pages and filters over a synthetic database of growing size.

    python benchmarks/dashboard.py --results 1000 10000

Each size gets a profile of its own in a temporary folder. What is timed is what the server does: the table of a page is
read once (`first`), then pages and filters are asked for again and again (the median counts). Processor time stands
beside the wall time, which the other programs of the machine stretch. Goals at 100,000 results: overview within 1.5 s,
a filter within 0.5 s, the page of a material within 1 s, and nothing that grows faster than the database.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

REPEATS = 7
FILTERS = (("formula", "contains", "Li3"), ("n_runs", "greaterThan", 2))
GOALS_S = {"overview": 1.5, "materials": 1.5, "material": 1.0, "filter": 0.5, "filter and figure": 0.5, "sort": 0.5}


def main() -> None:
    arguments = parse()
    if arguments.profile:
        print(json.dumps(measure(arguments.profile)))
        return
    result = {n_results: in_own_process(n_results) for n_results in arguments.results}
    report(result, arguments.wall)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--profile", help="measure this profile, which is filled already, and print one line of JSON")
    parser.add_argument("--wall", action="store_true", help="hold the wall time against the goals, on an idle machine")
    return parser.parse_args()


def in_own_process(n_results: int) -> dict[str, list[float]]:
    """Fill a profile, and measure in a process that has read nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"AIIDA_PATH": folder}
        verdi = str(Path(sys.executable).with_name("verdi"))
        commands = (
            [verdi, "presto", "--use-zeromq", "-p", "synthetic"],
            [sys.executable, "benchmarks/many_results.py", "--profile", "synthetic", "--results", str(n_results)],
            [sys.executable, "benchmarks/dashboard.py", "--profile", "synthetic"],
        )
        for command in commands:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stdout + done.stderr)
        results: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
        return results


def measure(profile: str) -> dict[str, list[float]]:
    """Return wall and processor seconds of each page and filter."""
    from aiida import load_profile, orm

    load_profile(profile)
    from aiida_ion.dashboards.app import Source, create_app
    from aiida_ion.dashboards.filtering import ordered
    from aiida_ion.dashboards.materials import listed
    from aiida_ion.dashboards.pages import material, materials, overview
    from aiida_ion.dashboards.state import View
    from aiida_ion.queries import read_only

    with read_only():
        create_app(Source(profile))
        n_nodes = float(orm.QueryBuilder().append(orm.Node).count())
        results = {"nodes": [n_nodes, n_nodes]}
        results["overview first"] = seconds(lambda: overview.layout(View()))
        results["materials first"] = seconds(lambda: materials.layout(View()))
        result = View(formula="Li3N", theme="light")
        results["material first"] = seconds(lambda: material.layout(result))
        by_name, by_runs = ({name: {"type": kind, "filter": value}} for name, kind, value in FILTERS)
        asked: dict[str, Callable[[], Any]] = {
            "overview": lambda: overview.layout(View()),
            "materials": lambda: materials.layout(View()),
            "material": lambda: material.layout(result),
            "filter": lambda: listed.matching_rows(by_name, View(elements=("Li", "O"))),
            "filter and figure": lambda: listed.figure(
                listed.matching_rows(by_runs, View(elements=("Li",), grades=("A", "B"))),
                listed.X,
                listed.Y,
                View(),
                [],
                "light",
            ).to_json(),
            "sort": lambda: ordered(listed.materials(View()), [{"colId": "activation_energy_eV", "sort": "desc"}]),
        }
        for name, ask in asked.items():
            times = [seconds(ask) for _ in range(REPEATS)]
            results[name] = [statistics.median(column) for column in zip(*times, strict=True)]
    return results


def seconds(ask: Callable[[], Any]) -> list[float]:
    """Return how long something takes, wall and processor, s."""
    wall, processor = time.perf_counter(), time.process_time()
    ask()
    return [time.perf_counter() - wall, time.process_time() - processor]


def report(result: dict[int, dict[str, list[float]]], wall: bool) -> None:
    """Print the times, the goals, and how each grows from the smallest to the largest database."""
    sizes = sorted(result)
    names = [name for name in result[sizes[0]] if name != "nodes"]
    growth = result[sizes[-1]]["nodes"][1] / result[sizes[0]]["nodes"][1]
    print("| wall / processor, s | " + " | ".join(f"{size:,} results" for size in sizes) + " | goal | growth |")
    print("|---|" + "---|" * (len(sizes) + 2))
    print("| nodes | " + " | ".join(f"{result[size]['nodes'][0]:,.0f}" for size in sizes) + f" | | {growth:.0f} x |")
    for name in names:
        cells = " | ".join("{:.3f} / {:.3f}".format(*result[size][name]) for size in sizes)
        times = result[sizes[-1]][name][1] / result[sizes[0]][name][1]
        print(f"| {name} | {cells} | {GOALS_S.get(name, '')} | {times:.1f} x |")
    late = [name for name, goal in GOALS_S.items() if result[sizes[-1]][name][0 if wall else 1] > goal]
    if late:
        raise SystemExit(f"over the goal at {sizes[-1]:,} results: {', '.join(late)}")


if __name__ == "__main__":
    main()
