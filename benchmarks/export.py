"""CPU time and size of exporting a hundred results from databases of growing size.

    python benchmarks/export.py --results 1000 --results 100000
    python benchmarks/export.py --profile scratch

Each size is a synthetic database in a folder of its own, or a profile is measured as it is. The hundred are its first
conductivities, of which three materials have arrays. Choosing is also counted in steps of SQLite's virtual machine,
which no other work on the machine disturbs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

GROUP, CHOSEN = "exported", 100
STEP = 1000


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Yield a function that returns how many thousand steps SQLite has made since; zero on PostgreSQL."""
    from aiida.manage import get_manager

    session = get_manager().get_profile_storage().get_session()
    connection: Any = session.connection().connection.dbapi_connection
    n = 0

    def count() -> int:
        nonlocal n
        n += 1
        return 0

    if hasattr(connection, "set_progress_handler"):
        connection.set_progress_handler(count, STEP)
    yield lambda: n
    if hasattr(connection, "set_progress_handler"):
        connection.set_progress_handler(None, 0)


def measure(folder: Path) -> dict[str, Any]:
    """Measure the loaded profile."""
    from aiida import orm

    from aiida_ion.archives.export import export, plan
    from aiida_ion.archives.open import check_archive
    from aiida_ion.archives.selection import choose

    row: dict[str, Any] = {"nodes": orm.QueryBuilder().append(orm.Node).count()}
    chains = orm.QueryBuilder()
    filters = {"process_type": "aiida.workflows:ion.conductivity", "attributes.sealed": True}
    chains.append(orm.WorkChainNode, filters=filters, tag="chain").order_by({"chain": "id"}).limit(CHOSEN)
    group, _ = orm.Group.collection.get_or_create(GROUP)
    group.add_nodes(chains.all(flat=True))
    row["chosen"] = group.count()
    choose([GROUP])  # AiiDA's own imports and the first compiled queries
    start = time.process_time()
    with counted() as steps:
        choice = choose([GROUP])
    row |= {"of them": len(choice.pks), "choose, s": time.process_time() - start, "10^3 steps": steps()}
    path = folder / "out.aiida"
    for name, kept in (("all", True), ("light", False)):
        start = time.process_time()
        export(plan([GROUP], trajectories=kept, retrieved=kept), path, overwrite=True)
        row |= {f"{name}, s": time.process_time() - start, f"{name}, MB": path.stat().st_size / 1e6}
    start = time.process_time()
    check_archive(path)
    return row | {"check, s": time.process_time() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=int, action="append", help="size of a synthetic database (1000 and 100000)")
    parser.add_argument("--profile", help="measure this profile instead, filled by many_results.py")
    arguments = parser.parse_args()
    if arguments.profile:
        from aiida import load_profile

        load_profile(arguments.profile)
        with tempfile.TemporaryDirectory() as folder:
            row = measure(Path(folder))
        cells = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()]
        print("| " + " | ".join(row) + " |")
        print("| " + " | ".join(cells) + " |")
        return
    for n_results in arguments.results or [1000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"AIIDA_PATH": folder}
            fill = [sys.executable, str(Path(__file__).with_name("many_results.py")), "--profile", "scratch"]
            subprocess.run([*fill, "--results", str(n_results)], check=True, env=environment)
            subprocess.run([sys.executable, __file__, "--profile", "scratch"], check=True, env=environment)


if __name__ == "__main__":
    main()
