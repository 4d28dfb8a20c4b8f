"""The state of the daemon of a profile. It is asked itself, since its PID file only shows that it was started once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aiida_ion.messages import one_line

#: How long a daemon on a busy machine may take to answer, s.
ASK_S = 10
#: AiiDA's own commands give up after this time, s; its default of 2 made stop and restart fail under load.
TIMEOUT_S = 30
SQLITE_WORKERS = 2


@dataclass(frozen=True)
class Daemon:
    """The state of a daemon.

    :param state: ``runs``; ``stopped``; ``died``: it left its PID file, and no such process runs; ``silent``: its
        process runs and does not answer; ``idle``: it answers and has no workers.
    :param n_workers: by its own answer.
    :param pid: from its PID file.
    """

    state: str
    n_workers: int = 0
    pid: int | None = None

    def trouble(self, profile: str) -> str | None:
        """Return a sentence on why nothing is processed and what to do; ``None`` if it runs."""
        again = f"'aiida-ion setup -p {profile}'"
        return {
            "stopped": f"the daemon is not running; start it with {again}",
            "died": f"the daemon has died: its process {self.pid} is gone; start it again with {again}",
            "silent": f"the daemon, process {self.pid}, does not answer; wait, or end it with 'verdi -p {profile} "
            f"daemon stop' or 'kill {self.pid}' and start it again with {again}",
            "idle": f"the daemon has no workers; give it some with 'verdi -p {profile} daemon incr'",
        }.get(self.state)


def ask(profile: Any, timeout_s: int = ASK_S) -> Daemon:
    """Ask the daemon of a profile whether it runs, by a message that it must answer.

    :param timeout_s: how long it may take to answer, s.
    """
    from aiida.engine.daemon.client import DaemonException, get_daemon_client

    client = get_daemon_client(profile.name)
    pid = client.get_daemon_pid()
    if pid is None:
        return Daemon("stopped")
    if not _is_daemon(pid, client):
        return Daemon("died", pid=pid)
    try:
        answer = client.get_worker_info(timeout=timeout_s)
    except (DaemonException, RuntimeError, OSError):
        # It may have ended in the meantime.
        return Daemon("silent" if _is_daemon(pid, client) else "died", pid=pid)
    workers = answer.get("info")
    n_workers = len(workers) if isinstance(workers, dict) else 0
    return Daemon("runs" if n_workers else "idle", n_workers, pid)


def _is_daemon(pid: int, client: Any) -> bool:
    """Whether a process is the daemon of a profile, and not another one that has the same number now.

    That may be the daemon of another profile, or of another folder of AiiDA: nobody is to be told to end that one.
    """
    import psutil  # type: ignore[import-untyped]

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or process.username() != psutil.Process().username():
            return False
        words, home = process.cmdline(), process.environ().get("AIIDA_PATH")
    except psutil.Error:
        return False
    own_home = client.get_env()["AIIDA_PATH"]
    if home is not None and os.path.realpath(home) != os.path.realpath(own_home):
        return False
    return "circusd" in words or ("start-circus" in words and client.profile.name in words)


def set_options(profile: Any, workers: int | None) -> None:
    """Give AiiDA's commands time to reach a daemon under load, and the number of workers that they start.

    What the user has set higher stays.
    """
    from aiida.manage.configuration import get_config

    config = get_config()
    if config.get_option("daemon.timeout", scope=profile.name) < TIMEOUT_S:
        config.set_option("daemon.timeout", TIMEOUT_S, scope=profile.name)
    if workers is not None:
        config.set_option("daemon.default_workers", workers, scope=profile.name)
    config.store()


def start(profile: Any, workers: int) -> None:
    """Start the daemon unless it answers, and say what was found.

    :raises click.ClickException: if it does not start, or its process runs and does not answer.
    """
    from aiida.common.log import override_log_level
    from aiida.engine.daemon.client import DaemonException, get_daemon_client

    state = ask(profile, TIMEOUT_S)
    if state.state == "runs":
        has = f"{state.n_workers} worker{'s' if state.n_workers > 1 else ''}"
        change = "" if state.n_workers == workers else f"; 'verdi -p {profile.name} daemon incr' adds to them"
        click.echo(f"Daemon: runs already with {has}{change}")
        return
    if state.state in ("silent", "idle"):
        raise click.ClickException(str(state.trouble(profile.name)))
    client = get_daemon_client(profile.name)
    if state.state == "died":  # AiiDA would keep the file where another daemon has the number now, and not start
        Path(client.circus_pid_file).unlink(missing_ok=True)
    try:
        with override_log_level():
            client.start_daemon(number_workers=workers)
    except (DaemonException, RuntimeError) as error:
        raise click.ClickException(f"the daemon did not start: {one_line(error)}") from error
    answered = ask(profile, TIMEOUT_S)
    if answered.state not in ("runs", "idle"):
        raise click.ClickException(f"the daemon was started but does not stay up: {answered.trouble(profile.name)}")
    died = f"had died (process {state.pid} is gone), " if state.state == "died" else ""
    click.echo(f"Daemon: {died}started with {workers} worker{'s' if workers > 1 else ''}")
