"""`aiida-ion setup --postgres --rabbitmq` against real servers, and against none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM, Shell
from tests.servers import PASSWORD, PostgresCluster

MANY_JOBS = Path(__file__).parent / "many_jobs.py"


def to(cluster: PostgresCluster, **options: str) -> list[str]:
    """Return the options of ``setup`` for a server."""
    given = {"host": "127.0.0.1", "port": str(cluster.port), **options}
    return ["setup", "--no-daemon", "--postgres", *(f"--postgres-{name}={value}" for name, value in given.items())]


def refused(shell: Shell, *arguments: str, **variables: str) -> str:
    """Run a command that must fail with one line and leave no profile behind; return the line."""
    lines = shell(*arguments, code=1, **variables).splitlines()
    assert len(lines) == 1, lines
    assert "Error: there is no profile 'ion'" in shell("table", "-p", "ion", code=1)
    return lines[0]


def storage_of(folder: Path) -> dict[str, Any]:
    config = json.loads((folder / ".aiida" / "config.json").read_text())
    settings: dict[str, Any] = config["profiles"]["ion"]["storage"]["config"]
    return settings


def test_a_server_that_is_not_there_is_one_line(shell: Shell) -> None:
    line = refused(shell, "setup", "--no-daemon", "--postgres", "--postgres-port", "1")
    assert line.startswith("Error: no PostgreSQL server answers at localhost, port 1: start it, or name another")


def test_a_missing_database_is_made_sorted_by_bytes_and_the_profile_works(
    shell: Shell, postgres_cluster: PostgresCluster, tmp_path: Path
) -> None:
    output = shell(*to(postgres_cluster, database="made_here"), AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert "Database made_here: made, UTF-8, owned by aiida" in output
    assert "Profile ion: made, PostgreSQL (made_here at 127.0.0.1, port" in output
    assert "ZeroMQ broker" in output
    assert "Computer localhost: made" in output
    program = (
        "from aiida import load_profile, orm\nfrom sqlalchemy import text\n"
        "backend = load_profile().name and orm.User.collection.backend\n"
        "ask = 'select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = current_database()'\n"
        "print(*backend.get_session().execute(text(ask)).one(), orm.Dict({'Å': 1}).store().base.attributes.all)\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"AIIDA_PATH": str(tmp_path)}
    )
    assert made.stdout.strip() == "C UTF8 {'Å': 1}"
    again = shell(*to(postgres_cluster, database="made_here"))
    assert "Profile ion: there already" in again
    second = shell(
        *to(postgres_cluster, database="made_here"), "--profile-name=b", code=1, AIIDA_ION_POSTGRES_PASSWORD=PASSWORD
    )
    assert "database 'made_here' holds an AiiDA profile already: name an empty one" in second


@pytest.mark.parametrize("source", ["PGPASSWORD", "pgpass", "socket"])
def test_the_password_is_taken_from_where_postgresql_takes_it(
    shell: Shell, postgres_cluster: PostgresCluster, tmp_path: Path, source: str
) -> None:
    database = postgres_cluster.make_database()
    # The folder of the socket is compiled into the driver; only a test has its server elsewhere.
    socket = {"PGHOST": str(postgres_cluster.folder)} if source == "socket" else {}
    password = {"PGPASSWORD": PASSWORD} if source == "PGPASSWORD" else {}
    host = "" if source == "socket" else "127.0.0.1"
    if source == "pgpass":
        path = tmp_path / ".pgpass"
        path.write_text(f"127.0.0.1:{postgres_cluster.port}:*:aiida:{PASSWORD.replace(':', chr(92) + ':')}\n")
        path.chmod(0o600)
    assert "Profile ion: made" in shell(*to(postgres_cluster, database=database, host=host), **socket, **password)
    # A daemon may be started where the variable is not set; a file of passwords is always there.
    assert storage_of(tmp_path)["database_password"] == (PASSWORD if source == "PGPASSWORD" else "")
    shell("table", **socket)


def test_at_a_terminal_the_password_is_asked_for_and_not_shown(
    postgres_cluster: PostgresCluster, tmp_path: Path
) -> None:
    ours, theirs = os.openpty()
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AIIDA_PATH": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *to(postgres_cluster, database="asked_for")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    output = read_until(ours, f"Password of aiida at 127.0.0.1, port {postgres_cluster.port}: ")
    os.write(ours, f"{PASSWORD}\n".encode())
    output = read_until(ours, None)
    os.close(ours)
    assert process.wait() == 0, output
    assert "Profile ion: made" in output
    assert PASSWORD not in output
    assert storage_of(tmp_path)["database_password"] == PASSWORD


def read_until(terminal: int, expected: str | None) -> str:
    """Return what a terminal shows until some words, or until the program has ended."""
    text = ""
    while expected is None or expected not in text:
        try:
            piece = os.read(terminal, 1024).decode()
        except OSError:  # nobody holds the other end any more
            piece = ""
        if not piece:
            assert expected is None, text
            return text
        text += piece
    return text


def test_no_password_and_nobody_to_ask_is_one_line(shell: Shell, postgres_cluster: PostgresCluster) -> None:
    line = refused(shell, *to(postgres_cluster))
    assert "asks for the password of 'aiida': set AIIDA_ION_POSTGRES_PASSWORD, or write it into ~/.pgpass" in line


@pytest.mark.parametrize("user", ["aiida", "nobody_here"])
def test_a_wrong_password_or_user_is_one_line(shell: Shell, postgres_cluster: PostgresCluster, user: str) -> None:
    line = refused(shell, *to(postgres_cluster, user=user), AIIDA_ION_POSTGRES_PASSWORD="wrong")
    assert f"refuses '{user}': the password is wrong or there is no such user" in line
    assert "wrong'" not in line


def test_a_user_who_may_make_no_database_is_told_the_command(shell: Shell, postgres_cluster: PostgresCluster) -> None:
    options = to(postgres_cluster, user="visitor", database="not_there")
    line = refused(shell, *options, AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert "there is no database 'not_there' and 'visitor' may not make one: run 'sudo -u postgres createdb" in line
    assert "--locale C --template template0 not_there'" in line


def test_a_database_of_somebody_else_is_refused_before_anything_is_written(
    shell: Shell, postgres_cluster: PostgresCluster
) -> None:
    database = postgres_cluster.make_database(owner="aiida")
    options = to(postgres_cluster, user="visitor", database=database)
    line = refused(shell, *options, AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert f'"alter database {database} owner to visitor"' in line


def test_another_encoding_is_refused(shell: Shell, postgres_cluster: PostgresCluster) -> None:
    database = postgres_cluster.make_database(encoding="LATIN1")
    line = refused(shell, *to(postgres_cluster, database=database), AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert f"database '{database}' is encoded in LATIN1 and AiiDA needs UTF8" in line


def test_a_profile_of_the_same_name_on_sqlite_is_not_taken_for_it(
    shell: Shell, postgres_cluster: PostgresCluster
) -> None:
    shell("setup", "--no-daemon")
    output = shell(*to(postgres_cluster), code=1, AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert "profile 'ion' is there already, with core.sqlite_dos and core.zeromq" in output


def test_a_broker_that_cannot_be_used_is_one_line(shell: Shell) -> None:
    def line(url: str, **variables: str) -> str:
        return refused(shell, "setup", "--no-daemon", "--rabbitmq", url, **variables)

    assert "no RabbitMQ server answers at 127.0.0.1, port 1:" in line("amqp://127.0.0.1:1")
    assert "write the URL as amqp://USER@HOST:PORT/VIRTUAL_HOST" in line("http://127.0.0.1:1")
    assert "leave the password out" in line("amqp://aiida:secret@127.0.0.1")
    assert "secret" not in line("amqp://aiida:secret@127.0.0.1")
    assert "asks for the password of 'aiida': set AIIDA_ION_RABBITMQ_PASSWORD" in line("amqp://aiida@127.0.0.1")


def test_rabbitmq_says_who_it_refuses(shell: Shell, rabbitmq_port: int) -> None:
    place = f"127.0.0.1:{rabbitmq_port}"
    line = refused(
        shell, "setup", "--no-daemon", "--rabbitmq", f"amqp://aiida@{place}", AIIDA_ION_RABBITMQ_PASSWORD="wrong"
    )
    assert "refuses 'aiida': correct the user in --rabbitmq, or AIIDA_ION_RABBITMQ_PASSWORD" in line
    assert "has no virtual host 'not_there' for 'guest'" in refused(
        shell, "setup", "--no-daemon", "--rabbitmq", f"amqp://{place}/not_there"
    )


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["ZeroMQ", "RabbitMQ"])
def test_more_than_two_workers_share_the_jobs(
    shell: Shell, postgres_cluster: PostgresCluster, request: pytest.FixtureRequest, tmp_path: Path, broker: str
) -> None:
    database = f"jobs_{broker.lower()}"
    options = [option for option in to(postgres_cluster, database=database) if option != "--no-daemon"]
    if broker == "RabbitMQ":
        options += ["--rabbitmq", f"amqp://127.0.0.1:{request.getfixturevalue('rabbitmq_port')}"]
    output = shell(*options, "--workers", 3, AIIDA_ION_POSTGRES_PASSWORD=PASSWORD)
    assert f"PostgreSQL ({database} at 127.0.0.1" in output
    assert f"{broker} broker" in output
    assert "Daemon: started with 3 workers" in output
    shell("engine", "add", "toy", "--python", sys.executable, "--potential", "lj")
    assert "steps/s with 32 atoms" in shell("engine", "test", "toy")
    assert "test of toy: finished" in shell("status")
    environment = {"AIIDA_PATH": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(MANY_JOBS), "12"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "12 finished of 12"
