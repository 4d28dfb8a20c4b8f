"""Labels for a surrogate of real crystals: the ordered lithium conductors of OBELiX at one temperature on one GPU.

Drives `aiida-ion benchmark obelix`: each crystal is relaxed with a machine-learning potential and run twice at 1000 K,
with different velocities. Look first, then run it, in the profile that `aiida-ion setup` made:

    python examples/obelix_surrogate_set.py --engine sevenn --dry-run
    python examples/obelix_surrogate_set.py --engine sevenn

Stop it at any time and run it again: what is in the database, or on its way, is not computed again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys

import click

from aiida_ion.cli.main import cli

NOTHING_LEFT = "Nothing to submit"


def main(arguments: list[str] | None = None) -> None:
    requested = parse(arguments)
    words = benchmark_words(requested)
    if requested.dry_run:
        ion(*words, "--dry-run")
        return
    for attempt in range(1, requested.attempts + 1):
        print(f"=== round {attempt} of at most {requested.attempts}", flush=True)
        if NOTHING_LEFT in ion(*words):
            break
        ion("status", "--watch", *profile_words(requested))
    ion("table", "diffusion", "--group", requested.group, *profile_words(requested))
    print(
        "Next, the samples: aiida-ion surrogate dataset", f"--from-group {requested.group}", *profile_words(requested)
    )


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--engine", required=True, help="a machine-learning potential, as 'aiida-ion engine list' has it"
    )
    parser.add_argument(
        "--select", default="ordered", help="all crystals without partly occupied sites, or ids: gvd,mdp"
    )
    parser.add_argument("--source", help="folder or zip of OBELiX (default: the package obelix-data downloads it)")
    parser.add_argument("--group", default="obelix-surrogate", help="label of the AiiDA group")
    parser.add_argument("--temperature-K", type=float, default=1000.0)
    parser.add_argument("--seeds", default="1,2", help="one run for each; two give the noise of a label")
    parser.add_argument("--time-ps", type=float, default=100.0, help="length of each run")
    parser.add_argument("--equilibration-ps", type=float, default=5.0, help="what is left out at its start")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--at-once", type=int, default=4, help="runs that share the GPU; they share the cores, too")
    parser.add_argument("--walltime-s", type=int, help="wall time of a job; the next one goes on")
    parser.add_argument("--attempts", type=int, default=3, help="how often what failed is submitted again")
    parser.add_argument("--profile", help="AiiDA profile (default: AiiDA's default profile)")
    parser.add_argument("--dry-run", action="store_true", help="say cells, atoms and expected cost, and run nothing")
    return parser.parse_args(arguments)


def benchmark_words(arguments: argparse.Namespace) -> list[str]:
    """Return the command; as many runs go side by side as there are shares of the cores."""
    given = {
        "select": arguments.select,
        "engine": arguments.engine,
        "source": arguments.source,
        "temperatures": f"{arguments.temperature_K:g}",
        "seeds": arguments.seeds,
        "time-ps": arguments.time_ps,
        "equilibration-ps": arguments.equilibration_ps,
        "device": arguments.device,
        "threads": max(1, (os.cpu_count() or 1) // arguments.at_once),
        "walltime-s": arguments.walltime_s,
        "group": arguments.group,
    }
    words = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    return ["benchmark", "obelix", *words, *profile_words(arguments)]


def profile_words(arguments: argparse.Namespace) -> list[str]:
    return ["--profile", arguments.profile] if arguments.profile else []


def ion(*words: str) -> str:
    """Run one command of the command line; return what it printed, which is shown, too."""
    kept = io.StringIO()
    screen = sys.stdout

    class Both(io.TextIOBase):
        """Writes to the screen and keeps it."""

        def write(self, text: str) -> int:
            screen.write(text)
            return kept.write(text)

        def flush(self) -> None:
            screen.flush()

    with contextlib.redirect_stdout(Both()):
        try:
            cli.main(list(words), standalone_mode=False)
        except click.ClickException as error:
            sys.exit(f"aiida-ion {' '.join(words)}: {error.format_message()}")
    return kept.getvalue()


if __name__ == "__main__":
    main()
