"""What must not grow with what others write: progress from long logs, slow requests, archives of many files.

    python benchmarks/bounded.py

A profile of its own is made and removed; nothing listens but on this machine.
"""

from __future__ import annotations

import argparse
import http.client
import io
import os
import resource
import socket
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-MB", type=int, default=400, help="size of the log of a running job")
    parser.add_argument("--files", type=int, default=100_000, help="arrays in an archive")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIIDA_PATH"] = home
        from aiida import load_profile
        from aiida.manage.configuration import create_profile, get_config

        where = {"filepath": f"{home}/storage"}
        settings = {"name": "bounded", "email": "someone@localhost", "is_test_profile": True}
        create_profile(get_config(create=True), storage_backend="core.sqlite_dos", storage_config=where, **settings)
        load_profile("bounded")
        progress(Path(home), given.log_MB)
        slow_request()
        archive(Path(home), given.files)


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a function returns, its CPU time, s, and by how much the largest memory of this process grew, MB."""
    before, start = _largest_megabytes(), time.process_time()
    result = work()
    return result, time.process_time() - start, _largest_megabytes() - before


def _largest_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def progress(home: Path, size_MB: int) -> None:
    """Read how far a job is whose log is long."""
    from aiida import orm

    from aiida_ion.queries.running.processes import process_table
    from aiida_ion.queries.running.progress import read_job_progress

    computer = orm.Computer("localhost", "localhost", "", "core.local", "core.direct", str(home / "work")).store()
    computer.set_minimum_job_poll_interval(0)
    computer.configure(safe_interval=0)
    node = orm.CalcJobNode(process_type="aiida.calculations:ion.lammps_md", computer=computer)
    node.set_process_state("waiting")
    node.set_remote_workdir(str(home))
    parameters = orm.Dict({"n_steps": 1000}).store()
    from aiida.common.links import LinkType

    node.base.links.add_incoming(parameters, LinkType.INPUT_CALC, "parameters")
    node.store()
    row = process_table().iloc[-1].to_dict()
    line = b"       1   300.0   -1.5\n"
    with (home / "log.lammps").open("wb") as stream:
        for _ in range(size_MB):
            stream.write(line * (1_000_000 // len(line)))
        stream.write(b"     250   301.0   -1.5\n")
    result, seconds, grown = measured(lambda: read_job_progress(row))
    cost = f"{seconds:.2f} s of CPU, {grown:.0f} MB of memory"
    print(f"progress of a log of {size_MB} MB: step {result and result.step}, {cost}")
    (home / "log.lammps").unlink()


def slow_request() -> None:
    """Ask a dashboard of an archive for a page while somebody sends a request and does not end it."""
    from aiida_ion.dashboards import server

    made = server.make(server.archive_source("bounded"), "127.0.0.1", 0, None)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    head = b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", made.port)) as slow:
        slow.sendall(head + b"Content-Length: 1000\r\n\r\n{")
        time.sleep(0.5)
        start, status = time.perf_counter(), "no answer"
        connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=90)
        try:
            connection.request("GET", "/download/zip?uuid=x&side=inputs")
            status = str(connection.getresponse().status)
        except OSError as error:
            status = str(error)
        print(f"a download while another request stands still: {status} after {time.perf_counter() - start:.2f} s")
    made.shutdown()


def archive(home: Path, n_files: int) -> None:
    """Check an archive of many nodes, each with an array of its own."""
    import numpy as np
    from aiida import orm
    from aiida.tools.archive import create_archive

    from aiida_ion.archives.open import check_archive

    node = orm.ArrayData({"values": np.zeros(3)}).store()
    small, large = home / "small.aiida", home / "large.aiida"
    create_archive([node], filename=small)
    _multiply(small, large, n_files, home)
    _, seconds, grown = measured(lambda: check_archive(large))
    print(f"check of an archive of {n_files} arrays: {seconds:.1f} s of CPU, {grown:.0f} MB of memory")


def _multiply(small: Path, large: Path, n_files: int, home: Path) -> None:
    """Write an archive with so many more nodes, each with an array whose key is a number; nobody reads them."""
    import json
    import sqlite3
    import uuid

    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.zeros(30))
    keys = [f"{number:064x}" for number in range(n_files)]
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as target:
        database = Path(source.extract("db.sqlite3", home))
        with sqlite3.connect(database) as connection:
            columns = "node_type, label, description, ctime, mtime, attributes, extras, user_id"
            insert = (
                f"INSERT INTO db_dbnode (uuid, repository_metadata, {columns}) SELECT ?, ?, {columns} FROM db_dbnode"
            )
            files = (json.dumps({"o": {"values.npy": {"k": key}}}) for key in keys)
            connection.executemany(f"{insert} WHERE id = 1", ((str(uuid.uuid4()), one) for one in files))
        connection.close()
        target.write(source.extract("metadata.json", home), "metadata.json")
        target.write(database, "db.sqlite3")
        for member in source.namelist():
            if member.startswith("repo/") and not member.endswith("/"):
                target.writestr(member, source.read(member))
        for key in keys:
            target.writestr(f"repo/{key}", buffer.getvalue())


if __name__ == "__main__":
    main()
