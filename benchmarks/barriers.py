"""Barriers of published migration paths by a potential, beside those by DFT. Resumable: one line of JSON per path.

    python benchmarks/barriers.py run FOLDER --engine .engines/sevenn --potential sevenn --output barriers/sevenn.jsonl
    python benchmarks/barriers.py score barriers/*.jsonl

``FOLDER`` has the files named in ``barrier_paths.py``, or is the file ``nebDFT2k.zip``. What costs least comes first
(small cells, equivalent ends), so that a run that is stopped at any time has scored what fits; the same command
continues. Ends are relaxed in the published cell; where an operation exchanges them the mid-point is relaxed, a band
otherwise. Barriers are from the lower end.

What fails is counted: the share right at 0.5 eV and the median count it as wrong, and the mean error, which cannot,
is printed beside how many it leaves out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

#: Barriers on the same side of this are right, eV.
CUT_EV = 0.5
#: Published paths are up to this long, angstrom; longer ones are to a wrong image.
MAX_PATH_A = 8.0
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("data", type=Path)
    run.add_argument("--engine", type=Path, required=True, help="environment of the potential")
    run.add_argument("--potential", required=True, help="sevenn, chgnet, mace ...")
    run.add_argument("--model", help="name of the model")
    run.add_argument("--device", default="cpu")
    run.add_argument("--output", type=Path, required=True, help="lines of JSON, appended to")
    run.add_argument("--species", nargs="+", help="only these moving ions, such as Li Na")
    run.add_argument("--max-atoms", type=int, default=10_000)
    run.add_argument("--paths", type=int, help="stop after this many more")
    run.add_argument("--hours", type=float, help="start no path after this time")
    run.add_argument("--minutes-per-path", type=float, help="CPU minutes after which a path is given up, and wrong")
    run.add_argument("--settings", type=json.loads, default={}, help="settings of hops, JSON")
    score = commands.add_parser("score")
    score.add_argument("files", type=Path, nargs="+")
    worker = commands.add_parser("worker")
    worker.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    {"run": start, "score": scores, "worker": work}[arguments.command](arguments)


def paths_of(data: Path) -> list[Any]:
    """Return the paths; leave with the reason where the data are not there."""
    from barrier_paths import literature, neb_dft_2k

    if data.is_file():
        return neb_dft_2k(data)
    if not (data / "RAW-Em-5-images-TRAIN.json").exists():
        sys.exit(f"skipped: no RAW-Em-5-images-TRAIN.json in {data}; get it from sai-mat-group on GitHub")
    return literature(data)


def start(arguments: argparse.Namespace) -> None:
    """Prepare the paths that are not done, and let the Python of the engine compute them."""
    lines = arguments.output.read_text().splitlines() if arguments.output.exists() else []
    done = {json.loads(line)["key"] for line in lines}
    waiting = [path for path in paths_of(arguments.data) if path.key not in done]
    waiting = [path for path in waiting if len(path.start) <= arguments.max_atoms]
    waiting = [path for path in waiting if not arguments.species or path.species in arguments.species]
    entries = sorted((entry_of(path) for path in waiting), key=expected_cost)[: arguments.paths]
    print(f"{len(done)} paths are done, {len(entries)} are to be computed", flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "paths.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        potential = {"name": arguments.potential, "model": arguments.model, "device": arguments.device}
        settings = {"max_path_A": MAX_PATH_A, **arguments.settings}
        about = {
            "potential": potential,
            "settings": settings,
            "output": str(arguments.output.resolve()),
            "hours": arguments.hours,
            "minutes_per_path": arguments.minutes_per_path,
        }
        (folder / "about.json").write_text(json.dumps(about))
        python = arguments.engine / "bin" / "python"
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([python, __file__, "worker", folder], check=True, env=environment)


def entry_of(path: Any) -> dict[str, Any]:
    """Return a path as plain data, and whether an operation exchanges its ends."""
    from aiida_ion.analysis.migration.cells import nearest_images
    from aiida_ion.analysis.migration.pairs import exchanges_ends

    end = nearest_images(path.start, path.end)
    return {
        "key": path.key,
        "species": path.species,
        "reference_eV": path.reference_eV,
        "numbers": path.start.numbers.tolist(),
        "cell": path.start.cell.array.tolist(),
        "start": path.start.positions.tolist(),
        "end": end.positions.tolist(),
        "moving": path.moving,
        "is_symmetric": exchanges_ends(path.start, end, path.moving),
        **path.about,
    }


def expected_cost(entry: dict[str, Any]) -> float:
    """Return a number that orders paths by cost: atoms, and a band costs several mid-points."""
    return len(entry["numbers"]) * (1.0 if entry["is_symmetric"] else 5.0)


def work(arguments: argparse.Namespace) -> None:
    """Compute the prepared paths, with the Python of the engine."""
    from ase import Atoms

    from aiida_ion.runners.potentials import load_potential
    from aiida_ion.runners.run_inputs import potential_inputs
    from aiida_ion.settings.migration import HopSettings

    about = json.loads((arguments.folder / "about.json").read_text())
    potential = load_potential(potential_inputs(about), [])
    settings = HopSettings.from_dict(about["settings"])
    begin = time.monotonic()
    for line in (arguments.folder / "paths.jsonl").read_text().splitlines():
        if about["hours"] is not None and time.monotonic() - begin > 3600 * about["hours"]:
            print("the time is over; the same command continues")
            return
        path = json.loads(line)
        ends = [
            Atoms(numbers=path["numbers"], positions=path[name], cell=path["cell"], pbc=True)
            for name in ("start", "end")
        ]
        result = timed_hop(ends, path, potential.calculator, settings, about["minutes_per_path"])
        kept = {key: value for key, value in path.items() if key not in ("numbers", "cell", "start", "end")}
        record = {**kept, **about["potential"], "verdict": result.verdict, "message": result.message}
        record |= {"path": result.path, **result.values}
        with Path(about["output"]).open("a") as stream:
            stream.write(json.dumps(record) + "\n")
        print(path["key"], len(path["numbers"]), result.verdict, barrier_of(record), path["reference_eV"], flush=True)


def timed_hop(ends: list[Any], path: dict[str, Any], calculator: Any, settings: Any, minutes: float | None) -> Any:
    """Return the result of a path; the verdict ``out_of_time`` where it took longer than some CPU minutes."""
    from aiida_ion.runners.migration.hop import HopResult, compute_hop
    from aiida_ion.runners.migration.relaxing import OutOfTimeError, Stop

    begin = time.process_time()
    stop = Stop(lambda: minutes is not None and time.process_time() - begin > 60 * minutes)
    try:
        return compute_hop(*ends, path["moving"], path["is_symmetric"], calculator, settings, stop)
    except OutOfTimeError:
        values = {"cpu_time_s": time.process_time() - begin, "calls": 0}
        return HopResult("out_of_time", f"It took more than {minutes:g} CPU minutes.", None, [], values)


def barrier_of(record: dict[str, Any]) -> float | None:
    """Return the barrier from the lower end, eV; None of a path that did not converge."""
    if record["verdict"] != "converged":
        return None
    return float(max(record["forward_eV"], record["reverse_eV"]))


def scores(arguments: argparse.Namespace) -> None:
    """Print a table for each file: all ions, lithium, sodium; and the published columns on the same paths."""
    for path in arguments.files:
        records = [json.loads(line) for line in path.read_text().splitlines()]
        verdicts = Counter(record["verdict"] for record in records)
        print(f"\n{path}: {len(records)} paths; " + ", ".join(f"{name} {n}" for name, n in verdicts.most_common()))
        symmetric = sum(record["path"] == "midpoint" for record in records)
        cpu_h = sum(record["cpu_time_s"] for record in records) / 3600
        calls = np.median([record["calls"] for record in records])
        print(f"{symmetric} by mid-points; {cpu_h:.2f} CPU h, median {calls:.0f} force calls")
        print(f"{'':28s}{'N':>5s}{'failed':>8s}{'MAE':>8s}{'median':>8s}{'> 1 eV':>8s}{'right':>8s}{'rho':>7s}")
        for name, species in (("all", None), ("Li", "Li"), ("Na", "Na")):
            chosen = [record for record in records if species in (None, record["species"])]
            if chosen:
                print(row(name, chosen, [barrier_of(record) for record in chosen]))
                for column in ("mace_relaxed_eV", "mace_unrelaxed_eV"):
                    print(row(f"  {column}", chosen, [record.get(column) for record in chosen]))


def row(name: str, records: list[dict[str, Any]], barriers: list[float | None]) -> str:
    """Return a row of scores; MAE and rank correlation of those that have a barrier, the rest of all."""
    references = np.array([record["reference_eV"] for record in records])
    values = np.array([np.nan if barrier is None else barrier for barrier in barriers], dtype=float)
    has = np.isfinite(values)
    errors = np.where(has, np.abs(values - references), np.inf)
    right = has & ((values <= CUT_EV) == (references <= CUT_EV))
    rho = spearmanr(values[has], references[has]).statistic if has.sum() > 2 else np.nan
    mae = errors[has].mean() if has.any() else np.nan
    shares = f"{np.mean(errors > 1.0):8.0%}{np.mean(right):8.0%}{rho:7.2f}"
    return f"{name:28s}{len(records):5d}{int((~has).sum()):8d}{mae:8.3f}{np.median(errors):8.3f}{shares}"


if __name__ == "__main__":
    main()
