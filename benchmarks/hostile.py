"""Try every bad input of ``benchmarks/hostile``: each must end in one clear sentence, with nothing stored.

Run as ``python benchmarks/hostile.py``. The profile is made in a temporary folder and the commands run in process, so
that nothing of the user's is touched. Ends with 1 where an input is accepted in silence or ends in a traceback.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.hostile.hostile_input import HostileInput

SUBJECTS = (
    "options",
    "overrides",
    "engines",
    "nodes",
    "outputs",
    "settings",
    "crystals",
    "trajectories",
    "dft_outputs",
)
#: Words of Python, and of libraries that a user need not know.
FOREIGN = re.compile(
    r"Traceback|\w+Error\b|NoneType|invalid literal|has no attribute|pydantic|positional argument|keyword argument|"
    r"<class |\bdict\b|\bint\(|\bfloat\(|object is not|not subscriptable|unhashable|\bNone\b|orm\."
)
MAX_LENGTH = 1200
#: What takes longer hangs: a server that listens, a question that nobody answers.
PATIENCE_S = 30


class HangingError(BaseException):
    """An input that was accepted in silence, and keeps its command busy."""


def give_up(*_: object) -> None:
    """End a command that hangs."""
    raise HangingError("it hangs")


def main() -> int:
    """Try all inputs, print the table, and return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subject", action="append", choices=SUBJECTS, help="only these")
    parser.add_argument("--verbose", action="store_true", help="print what each said")
    given = parser.parse_args()
    started = time.perf_counter()
    signal.signal(signal.SIGALRM, give_up)
    with tempfile.TemporaryDirectory() as folder:
        make_profile(Path(folder))
        verdicts = [
            (subject, one, *judge(one))
            for subject in given.subject or SUBJECTS
            for one in inputs_of(subject, Path(folder) / subject)
        ]
    report(verdicts, given.verbose)
    print(f"\n{time.perf_counter() - started:.0f} s")
    return int(any(verdict in ("traceback", "silent", "unclear") for _, _, verdict, _ in verdicts))


def make_profile(folder: Path) -> None:
    """Make and load a throw-away profile with what the inputs name."""
    warnings.simplefilter("ignore")
    os.environ["AIIDA_PATH"] = str(folder)
    os.environ["AIIDA_ION_ENGINES"] = str(folder / "engines")
    from aiida import load_profile
    from aiida.manage.configuration import create_profile, get_config

    config = get_config(create=True)
    create_profile(
        config,
        name="hostile",
        email="hostile@localhost",
        storage_backend="core.sqlite_dos",
        storage_config={},
        broker_backend=None,
    )
    config.set_default_profile("hostile", overwrite=True).store()
    load_profile("hostile", allow_switch=True)
    make_world(folder)


def make_world(folder: Path) -> None:
    """Store the computer, engines and nodes that the inputs name, in the loaded profile."""
    from aiida import orm
    from ase.build import bulk

    from aiida_ion.engines.fits import register_diffusion_code
    from aiida_ion.engines.registration import register

    if not orm.QueryBuilder().append(orm.Computer, filters={"label": "localhost"}).count():
        computer = orm.Computer("localhost", "localhost", "", "core.local", "core.direct", str(folder / "scratch"))
        computer.store().configure()
    register_diffusion_code()
    register("toy", sys.executable, "ion.md.mlip", potential={"name": "lj"})
    register("lammps-toy", "/bin/ls", "ion.md.lammps")
    orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.62)).store()


def inputs_of(subject: str, folder: Path) -> list[HostileInput]:
    """Return the inputs of a subject; none where its file is not there."""
    folder.mkdir(exist_ok=True)
    try:
        module = import_module(f"benchmarks.hostile.{subject}")
    except ModuleNotFoundError:
        return []
    results: list[HostileInput] = module.inputs(folder)
    names = Counter(one.name for one in results)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ValueError(f"{subject}: {', '.join(twice)} appears in it twice")
    return results


def judge(one: HostileInput) -> tuple[str, str]:
    """Try an input.

    :returns: ``clear``, ``word`` (accepted with a warning that was asked for), ``silent``, ``unclear`` or
        ``traceback``; and what was said.
    """
    before = count_nodes()
    verdict, text = verdict_of(one)
    if count_nodes() == before or verdict in ("traceback", "silent", "word"):
        return verdict, text
    return "unclear", f"{text} [something was stored]"


def verdict_of(one: HostileInput) -> tuple[str, str]:
    """Try an input, and judge what was said alone."""
    code, output, error = call(one)
    if error is not None:
        return "traceback", f"{type(error).__name__}: {error}"
    if one.outcome == "warning":
        return ("word" if code == 0 and re.search(one.pattern, output) else "silent"), output
    if code == 0:
        return "silent", output
    lines = error_lines(output)
    is_clear = code in (1, 2) and len(lines) == 1 and not FOREIGN.search(lines[0]) and len(lines[0]) < MAX_LENGTH
    if not is_clear or not re.search(one.pattern, lines[0]):
        return "unclear", output
    return "clear", lines[0]


def call(one: HostileInput) -> tuple[int, str, BaseException | None]:
    """Return exit code, what was said, and the error that nothing caught."""
    from click.testing import CliRunner

    from aiida_ion.cli.main import cli

    if callable(one.call):
        try:
            one.call()
        except ValueError as error:
            return 1, f"Error: {error}", None
        except Exception as error:
            return 1, "", error
        return 0, "", None
    signal.alarm(PATIENCE_S)
    try:
        result = CliRunner().invoke(cli, list(one.call))
    except HangingError as error:
        return 0, str(error), None
    finally:
        signal.alarm(0)
    error = result.exception
    return result.exit_code, result.output, None if isinstance(error, SystemExit) else error


def error_lines(text: str) -> list[str]:
    """Return the lines of an error: without the usage that click prints above, and the notes before it."""
    lines = [line for line in text.splitlines() if line.strip()]
    starts = [index for index, line in enumerate(lines) if line.startswith("Error: ")]
    return [line.removeprefix("Error: ") for line in lines[starts[0] :]] if len(starts) == 1 else lines


def count_nodes() -> tuple[int, ...]:
    """Return how many nodes, groups and computers there are."""
    from aiida import orm

    return tuple(orm.QueryBuilder().append(kind).count() for kind in (orm.Node, orm.Group, orm.Computer))


def report(verdicts: Sequence[tuple[str, HostileInput, str, str]], verbose: bool) -> None:
    """Print how many of each subject ended how, then those that should not have."""
    columns = ("clear", "word", "unclear", "silent", "traceback")
    print(f"{'subject':14}{'tried':>8}" + "".join(f"{name:>11}" for name in columns))
    subjects = list(dict.fromkeys(subject for subject, *_ in verdicts))
    for subject in [*subjects, "all"]:
        mine: list[Any] = [verdict for name, _, verdict, _ in verdicts if subject in (name, "all")]
        counts = Counter(mine)
        print(f"{subject:14}{len(mine):8}" + "".join(f"{counts[name]:11}" for name in columns))
    for subject, one, verdict, text in verdicts:
        if verbose or verdict not in ("clear", "word"):
            print(f"\n{verdict.upper()} {subject}: {one.name}\n  wanted: {one.pattern}\n  said: {text.strip()[:600]}")


if __name__ == "__main__":
    sys.exit(main())
