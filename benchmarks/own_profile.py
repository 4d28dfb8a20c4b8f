"""A profile of its own in a folder, and commands of ``aiida-ion`` in it: what resumable benchmarks share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
PROGRAM = "from aiida_ion.cli.main import cli; cli()"


def arguments(text: str, stages: Sequence[str], settings: Mapping[str, Any]) -> tuple[Namespace, dict[str, Any]]:
    """Return the options of a benchmark, and its settings as they were changed.

    :param text: what it does; the first line is its help.
    :param stages: names of its stages, in their order.
    :param settings: the defaults; mappings are changed key by key.
    :raises SystemExit: for a setting that there is not.
    """
    parser = ArgumentParser(description=text.partition("\n")[0])
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--folder", type=Path, required=True, help="of the profile and the files")
    parser.add_argument("--stages", nargs="+", choices=stages, default=list(stages))
    parser.add_argument("--set", type=json.loads, default={}, help="settings at the top of the script, JSON")
    given = parser.parse_args()
    unknown = sorted(set(given.set) - set(settings))
    if unknown:
        parser.error(f"--set: there is no setting {unknown[0]}; choose from {', '.join(settings)}")
    changed = {
        name: {**value, **given.set.get(name, {})} if isinstance(value, Mapping) else given.set.get(name, value)
        for name, value in settings.items()
    }
    return given, changed


@contextmanager
def own_profile(name: str, folder: Path, engines: Path, needed: Sequence[str]) -> Iterator[None]:
    """Make a profile in a folder where there is none, and run its daemon as long as the context lasts.

    What an earlier call left unfinished goes on with the daemon, and is waited for.

    :param engines: folder of the environments.
    :param needed: engines that are installed there where they are not.
    """
    os.environ["AIIDA_ION_ENGINES"] = str(engines.absolute())
    os.environ["AIIDA_PATH"] = str(folder.absolute())
    folder.mkdir(parents=True, exist_ok=True)
    aiida_ion("setup", "--profile-name", name)
    try:
        nodes(name)
        missing = sorted(set(needed) - registered())
        if missing:
            aiida_ion("engine", "install", *missing)
        if unfinished():
            aiida_ion("status", "--watch")
        yield
    finally:
        subprocess.run([str(BIN / "verdi"), "-p", name, "daemon", "stop"], check=False)


def run_stages(chosen: Sequence[str], stages: Mapping[str, Callable[[], None]]) -> None:
    """Run stages in their order, each under its name."""
    for name, stage in stages.items():
        if name in chosen:
            print(f"\n== {name}", flush=True)
            stage()


def aiida_ion(*words: Any, check: bool = True) -> None:
    """Run a command of the package and let it print.

    :param check: end where it fails; a result with a warning is a result.
    :raises SystemExit: if it fails.
    """
    done = subprocess.run([sys.executable, "-c", PROGRAM, *map(str, words)], check=False)
    if check and done.returncode:
        raise SystemExit(f"aiida-ion {words[0]} failed")


def nodes(name: str | None = None) -> Any:
    """Return AiiDA's nodes; the first call loads the profile."""
    from aiida import load_profile, orm

    if name is not None:
        load_profile(name)
    return orm


def registered() -> set[str]:
    """Return the names of the registered engines."""
    from aiida_ion.queries import engine_table

    return set(engine_table()["name"])


def unfinished() -> bool:
    """Return whether processes of an earlier call go on."""
    orm = nodes()
    going = {"attributes.process_state": {"in": ["created", "running", "waiting"]}}
    return bool(orm.QueryBuilder().append(orm.ProcessNode, filters=going).count())


def processes(entry_point: str) -> list[Any]:
    """Return the finished processes of an entry point, the oldest first."""
    orm = nodes()
    query = orm.QueryBuilder().append(orm.ProcessNode, filters={"process_type": {"like": f"%:{entry_point}"}})
    return [node for node in query.order_by({orm.ProcessNode: {"id": "asc"}}).all(flat=True) if node.is_terminated]


def overrides_file(folder: Path, overrides: Mapping[str, Any]) -> Path:
    """Write overrides of the protocol, and return their file."""
    path = folder / "overrides.yaml"
    path.write_text(json.dumps(overrides))  # JSON is YAML
    return path
