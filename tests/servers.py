"""Throw-away servers for the tests: PostgreSQL and RabbitMQ as Debian packages them, each in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.manage import get_manager
from aiida.manage.configuration import create_profile, profile_context
from aiida.manage.configuration.profile import Profile

from aiida_ion.cli.services.postgres import Server

PASSWORD = "p@ss:w/rd"  # what must be quoted in a URL
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass(frozen=True)
class PostgresCluster:
    """A running server; ``aiida`` may make databases, ``visitor`` may not, both have the same password."""

    binaries: Path
    folder: Path
    port: int

    def run(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # it refuses to run as root
        words = [*as_user, str(self.binaries / program), *arguments]
        done = subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder)
        assert done.returncode == 0, done.stderr.decode()

    def execute(self, statement: str) -> None:
        """Run a statement as the administrator."""
        self.run("psql", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port), "-c", statement)

    def make_database(self, owner: str = "aiida", encoding: str = "UTF8") -> str:
        name = f"ion_{secrets.token_hex(4)}"
        self.execute(f"create database {name} owner {owner} encoding '{encoding}' lc_collate 'C' template template0")
        return name


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """Start a PostgreSQL server with password authentication over TCP and none on its socket."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if binaries is None or not (binaries / "initdb").exists():
        pytest.skip("no PostgreSQL server is installed: run `make servers`")
    folder = _folder("ion-postgres-", "postgres")
    cluster = PostgresCluster(binaries, folder, free_port())
    data = ["-D", str(folder / "data")]
    local = ["--auth-local=trust", "--auth-host=scram-sha-256", "--locale=C", "-E", "UTF8", "--no-sync"]
    cluster.run("initdb", *data, "-U", "postgres", *local)
    options = f"-p {cluster.port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    cluster.run("pg_ctl", *data, "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        cluster.execute(f"create role aiida login createdb password '{PASSWORD}'")
        cluster.execute(f"create role visitor login password '{PASSWORD}'")
        yield cluster
    finally:
        cluster.run("pg_ctl", *data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def rabbitmq_port() -> Iterator[int]:
    """Start a RabbitMQ server with its own name, cookie and port mapper; it takes about five seconds."""
    if not RABBITMQ.exists():
        pytest.skip("no RabbitMQ server is installed: run `make servers`")
    folder = _folder("ion-rabbitmq-", "rabbitmq")
    port, mapper = free_port(), free_port()
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nconsumer_timeout = 31536000000\n")
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"ion{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    as_user = ["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--clear-groups"] if os.getuid() == 0 else []
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(
            [*as_user, str(RABBITMQ)], env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for_port(port, server, folder / "output")
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
        subprocess.run(["epmd", "-port", str(mapper), "-kill"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, server: subprocess.Popen[bytes], log: Path, timeout_s: float = 60) -> None:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(f"nothing answers on port {port}: {log.read_text()}")


def _folder(prefix: str, user: str) -> Path:
    """Return a folder that the server's user owns: they refuse to run as root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.getuid() == 0:
        shutil.chown(folder, user)
    return folder


@pytest.fixture(scope="session")
def postgres_profile(
    postgres_cluster: PostgresCluster, aiida_config: Any, aiida_profile: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Profile]:
    """Make a profile on the server; it is not loaded."""
    name = postgres_cluster.make_database()
    server = Server("127.0.0.1", postgres_cluster.port, name, "aiida", PASSWORD)
    profile = create_profile(
        aiida_config,
        name=name,
        email="test@localhost",
        storage_backend="core.psql_dos",
        storage_config=server.storage_config(tmp_path_factory.mktemp(name).as_uri()),
        is_test_profile=True,
    )
    get_manager().load_profile(aiida_profile.name, allow_switch=True)
    yield profile


DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]


@pytest.fixture(params=DATABASES)
def profile(request: pytest.FixtureRequest, aiida_profile: Any) -> Iterator[Profile]:
    """Load an empty profile on SQLite, then one on PostgreSQL; the tests' own profile is loaded again afterwards."""
    with _emptied(request, aiida_profile) as loaded:
        yield loaded


@pytest.fixture(params=DATABASES, scope="module")
def module_profile(request: pytest.FixtureRequest, aiida_profile: Any) -> Iterator[Profile]:
    """Load the same, emptied once for all tests of a file, none of which empties it or needs it empty."""
    with _emptied(request, aiida_profile) as loaded:
        yield loaded


@contextmanager
def _emptied(request: pytest.FixtureRequest, aiida_profile: Any) -> Iterator[Profile]:
    if request.param == "sqlite":
        aiida_profile.reset_storage()
        yield aiida_profile
        return
    on_postgres = request.getfixturevalue("postgres_profile")
    with profile_context(on_postgres, allow_switch=True):
        get_manager().get_profile_storage()._clear()
        get_manager().reset_profile()
        orm.User(email="test@localhost").store()
        yield on_postgres
