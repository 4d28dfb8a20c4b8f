"""Time the pages of the dashboard while many people read it.

    python benchmarks/readers.py --folder /tmp/readers --results 20000 --readers 50

The folder keeps a synthetic profile, which is filled once and found again. A server of its own process shows it; each
reader loads the frame, then opens every page in an order of its own, with the callbacks that start with it, and pauses
between pages as a person does (exponentially distributed). Materials, results and filters differ between readers. The
time of a page is that of all its requests one after the other; a browser sends some at the same time. Processor time
of the server for a page, made anew and kept, is measured by a single reader before: other programs do not stretch it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import psutil  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.reading.browser import Browser

ROOT = Path(__file__).parents[1]
PROFILE = "readers"
GOAL_S = 2.0
#: Repetitions of each page for its processor time.
REPEATS = 4
#: How long the server may take to start, s.
START_S = 120.0
PAGES = ("/", "/screening", "/materials", "/material", "/compare", "/potentials", "/surrogate", "/provenance")
FILTERS = {
    "/materials": ("", "", "?elements=Li", "?elements=Na", "?elements=K&elements=O", "?o.temperature=300"),
    "/compare": ("", "", "?o.quantity=diffusivity", "?o.quantity=activation_energy", "?elements=Li"),
}


@dataclass
class Measured:
    """What was measured.

    :param seconds: page -> time of each visit, s.
    :param processor_s: page -> processor time of the server, made anew and kept, s.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processor_s: dict[str, tuple[float, float]] = field(default_factory=dict)
    first_bytes: list[int] = field(default_factory=list)
    later_bytes: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> int:
    arguments = parse()
    fill(arguments.folder, arguments.results)
    measured = Measured()
    with served(arguments.folder) as (address, server):
        started = time.perf_counter()
        known = links(address)
        cpu_s = sum(server.cpu_times()[:2])
        print(f"all pages once after {time.perf_counter() - started:.1f} s, {cpu_s:.1f} s of CPU", flush=True)
        for page in PAGES:
            measured.processor_s[page] = new_s, kept_s = processor_seconds(server, address, page, known)
            print(f"{page}: {new_s:.3f} s of CPU made anew, {kept_s:.3f} s kept", flush=True)
        busy, wall = sum(server.cpu_times()[:2]), time.perf_counter()
        read(arguments, address, known, measured)
        wall = time.perf_counter() - wall
        share = (sum(server.cpu_times()[:2]) - busy) / wall
        memory = memory_of(server.pid)
    report(measured, arguments, wall, share, memory)
    late = any(percentile(times, 95) > GOAL_S for times in measured.seconds.values())
    return int(bool(measured.errors) or late)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the profile is, or is made")
    parser.add_argument("--results", type=int, default=20_000, help="results of a new profile (default 20000)")
    parser.add_argument("--readers", type=int, default=50, help="readers at the same time (default 50)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each reader opens every page (default 2)")
    parser.add_argument("--pause-s", type=float, default=10.0, help="mean pause between pages, s (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="of orders, choices and pauses (default 0)")
    return parser.parse_args()


def fill(folder: Path, n_results: int) -> None:
    """Fill the profile of a folder with results, a screening, a surrogate and potentials, unless it is filled."""
    done = folder / "filled"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "benchmarks" / "reading" / "filling.py"), PROFILE, str(n_results)]
    print(f"filling a profile with {n_results:,} results; this happens once ...", flush=True)
    subprocess.run(command, cwd=ROOT, env=os.environ | {"AIIDA_PATH": str(folder)}, check=True)
    done.touch()


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run the dashboard of the folder's profile; return its host and port, and its process."""
    command = [str(Path(sys.executable).with_name("aiida-ion")), "dashboard", "-p", PROFILE, "--port", "0"]
    environment = os.environ | {"AIIDA_PATH": str(folder), "PYTHONUNBUFFERED": "1"}
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + START_S
        while not (match := re.search(r"http://([^/\s]+)/", log.read_text())):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not start: {log.read_text()}")
            time.sleep(0.2)
        yield match[1], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def links(address: str) -> list[str]:
    """Return the queries of materials, as the table links to them; every page has been shown once then."""
    browser = Browser(address)
    browser.load()
    for page in PAGES:
        components = browser.page(page)
        if page == "/materials":
            rows = components["materials-grid"]["getRowsResponse"]["rowData"]
    return [row["href"].partition("?")[2] for row in rows if "uuid=" in row["href"]]


def search_of(page: str, known: list[str], draw: random.Random) -> str:
    """Return the query of a visit."""
    if page == "/material":
        return f"?{draw.choice(known)}"
    if page == "/provenance":
        return f"?uuid={dict(parse_qsl(draw.choice(known)))['uuid']}"
    return draw.choice(FILTERS.get(page, ("",)))


def processor_seconds(server: psutil.Process, address: str, page: str, known: list[str]) -> tuple[float, float]:
    """Return the processor time of the server for a page, made anew and kept, s; means of `REPEATS`."""
    browser, draw = Browser(address), random.Random(0)
    browser.load()
    search = search_of(page, known, draw) if page in ("/material", "/provenance") else ""
    times = []
    for is_new in (True, False):
        browser.mark = ""
        browser.page(page, search)
        before = sum(server.cpu_times()[:2])
        for number in range(REPEATS):
            browser.mark = f"{number}" if is_new else ""
            browser.page(page, search)
        times.append((sum(server.cpu_times()[:2]) - before) / REPEATS)
    return times[0], times[1]


def read(arguments: argparse.Namespace, address: str, known: list[str], measured: Measured) -> None:
    """Let all readers read, each in a thread."""
    guard = threading.Lock()

    def one(number: int) -> None:
        draw = random.Random(f"{arguments.seed} {number}")
        browser = Browser(address)
        time.sleep(draw.uniform(0.0, arguments.pause_s))
        visits = [page for _ in range(arguments.rounds) for page in draw.sample(PAGES, len(PAGES))]
        for place, page in enumerate(visits):
            before, start = browser.n_bytes, time.perf_counter()
            try:
                if place in (0, len(PAGES)):  # a reader comes, and comes back another day
                    browser.load()
                    with guard:
                        (measured.later_bytes if place else measured.first_bytes).append(browser.n_bytes - before)
                        measured.seconds["frame, later" if place else "frame, first"].append(
                            time.perf_counter() - start
                        )
                    start = time.perf_counter()
                browser.page(page, search_of(page, known, draw))
            except Exception as error:  # whatever it is, the others go on, and it is reported
                with guard:
                    measured.errors.append(f"{page}: {type(error).__name__}: {error}")
            else:
                with guard:
                    measured.seconds[page].append(time.perf_counter() - start)
            time.sleep(min(draw.expovariate(1.0 / arguments.pause_s), 6.0 * arguments.pause_s))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(arguments.readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def memory_of(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process, now and at most, MiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    now, most = (
        int(match[1]) / 1024 for match in (re.search(rf"{name}:\s+(\d+)", text) for name in ("VmRSS", "VmHWM")) if match
    )
    return now, most


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile of measured values, the next larger one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-percent * len(ordered) // 100) - 1)]


def report(
    measured: Measured, arguments: argparse.Namespace, wall: float, share: float, memory: tuple[float, float]
) -> None:
    """Print the times of each page, and what else was measured."""
    print(
        "| page | visits | p50, s | p95, s | max, s | CPU made anew, s | CPU kept, s |\n|---|---|---|---|---|---|---|"
    )
    for page in ("frame, first", "frame, later", *PAGES):
        times, processor_s = measured.seconds.get(page, []), measured.processor_s.get(page)
        spread = (statistics.median(times), percentile(times, 95), max(times)) if times else ()
        cells = [f"{value:.3f}" for value in spread] or ["", "", ""]
        cells += [f"{value:.3f}" for value in processor_s] if processor_s else ["", ""]
        print(f"| {page} | {len(times)} | {' | '.join(cells)} |")
    n_visits = sum(len(times) for page, times in measured.seconds.items() if page in PAGES)
    print(
        f"{arguments.readers} readers, {n_visits} pages in {wall:.0f} s ({n_visits / wall:.1f} pages/s), "
        f"{100 * share:.0f} % of a core used by the server, memory {memory[0]:.0f} MiB now, {memory[1]:.0f} MiB at most"
    )
    for words, values in (("first", measured.first_bytes), ("later", measured.later_bytes)):
        if values:
            print(f"the frame, {words} load: {statistics.median(values) / 1024:.0f} KiB")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors")
    print(f"{len(measured.errors)} failed", *measured.errors[:10], sep="\n")


if __name__ == "__main__":
    sys.exit(main())
