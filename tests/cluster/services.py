"""munge, Slurm and an SSH server on loopback, in a folder of their own; started in seconds and stopped by their ids.

``python -m tests.cluster.services FOLDER`` starts them until it is interrupted, to try commands by hand.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Programs by what they are for; none of them needs to be on the PATH of a user.
PROGRAMS = ("munged", "slurmctld", "slurmd", "sshd", "sbatch", "squeue", "scancel", "ssh-keygen")
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
#: Name by which the SSH server is known in the configuration of the client.
ALIAS = "ion-cluster"
#: The node has a graphics card that is a name only: enough for a request to be granted or refused.
SLURM_CONF = """\
ClusterName=ion
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MpiDefault=none
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0
ReturnToService=2
KillWait=5
MinJobAge=30
DefMemPerCPU=1000
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 Gres=gpu:1 State=UNKNOWN
PartitionName=batch Nodes={host} Default=YES MaxTime=60 State=UP
PartitionName=gpu Nodes={host} MaxTime=60 State=UP
PartitionName=closed Nodes={host} MaxTime=60 State=DOWN
"""
SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/ssh/host_key
AuthorizedKeysFile {folder}/ssh/key.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
MaxStartups 50:30:100
MaxSessions 20
SetEnv SLURM_CONF={folder}/slurm.conf
"""
SSH_CONFIG = """\
Host {alias}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/ssh/key
    IdentitiesOnly yes
"""


@dataclass(frozen=True)
class Cluster:
    """A running cluster of one node with the partitions ``batch`` (default), ``gpu`` and ``closed``.

    :param folder: everything that belongs to it.
    :param port: of its SSH server on 127.0.0.1.
    :param user: who logs in, with the key ``ssh/key``.
    """

    folder: Path
    port: int
    user: str

    @property
    def key(self) -> Path:
        """Private key of the user."""
        return self.folder / "ssh" / "key"

    @property
    def home(self) -> Path:
        """A home of the client: its ``.ssh`` knows the cluster as `ALIAS`, and the key of its host."""
        return self.folder / "home"

    @property
    def scratch(self) -> Path:
        """Folder of the jobs."""
        return self.folder / "scratch"

    def run(self, *words: str) -> str:
        """Run a command of Slurm and return what it printed."""
        environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def job_ids(self, state: str = "PENDING,RUNNING") -> list[str]:
        """Return the jobs in these states, oldest first."""
        return self.run("squeue", "--noheader", "--sort=i", "--format=%i", f"--states={state}").split()


def missing() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start the services in an empty folder, and stop them."""
    port, controller, node = free_ports(3)
    cluster = Cluster(folder, port, getpass.getuser())
    _write_files(cluster, controller, node)
    with ExitStack() as stack:
        stack.enter_context(_service(folder, "munged", *_munge_words(folder), user="munge"))
        _wait(lambda: (folder / "munge" / "socket").exists(), folder / "munged.output")
        conf = str(folder / "slurm.conf")
        stack.enter_context(_service(folder, "slurmctld", "-D", "-f", conf))
        _wait(lambda: _answers(controller), folder / "slurmctld.output")
        stack.enter_context(_service(folder, "slurmd", "-D", "-f", conf))
        stack.enter_context(_service(folder, "sshd", "-D", "-e", "-f", str(folder / "ssh" / "sshd_config")))
        _wait(lambda: _answers(port), folder / "sshd.output")
        _wait(lambda: "idle" in cluster.run("sinfo", "--noheader", "--format=%T"), folder / "slurmd.log")
        stack.callback(_cancel_all, cluster)
        yield cluster


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _write_files(cluster: Cluster, controller: int, node: int) -> None:
    """Write configurations, keys and the home of the client."""
    folder = cluster.folder
    folder.chmod(0o755)
    for name in ("munge", "ssh", "state", "spool", "scratch", "home/.ssh"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]
    values = {"folder": folder, "host": host, "user": cluster.user, "port": cluster.port, "alias": ALIAS}
    (folder / "slurm.conf").write_text(SLURM_CONF.format(**values, controller=controller, node=node))
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n")
    (folder / "munge" / "key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge" / "key").chmod(0o400)
    (folder / "munge").chmod(0o711)
    for name in ("host_key", "key"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "ssh" / name)]
        subprocess.run(words, check=True)
    (folder / "ssh" / "sshd_config").write_text(SSHD_CONFIG.format(**values))
    (cluster.home / ".ssh" / "config").write_text(SSH_CONFIG.format(**values))
    host_key = (folder / "ssh" / "host_key.pub").read_text()
    (cluster.home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{cluster.port} {host_key}")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # a server that root starts wants it


def _munge_words(folder: Path) -> list[str]:
    if os.getuid() == 0:  # it refuses to run as root
        for path in (folder / "munge", folder / "munge" / "key"):
            shutil.chown(path, "munge", "munge")
    parts = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    return ["--foreground", "--force", *(f"--{option}={folder}/munge/{name}" for option, name in parts.items())]


@contextmanager
def _service(folder: Path, name: str, *arguments: str, user: str | None = None) -> Iterator[None]:
    """Start a service in the foreground of its own session, and stop it."""
    program = shutil.which(name, path=SEARCHED) or name
    as_user = [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user and os.getuid() == 0 else []
    words = [*(["setpriv", *as_user] if as_user else []), program, *arguments]
    with (folder / f"{name}.output").open("wb") as output:
        service = subprocess.Popen(words, stdout=output, stderr=output, cwd="/", start_new_session=True)
    try:
        yield
    finally:
        service.terminate()
        try:
            service.wait(timeout=20)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()


def _cancel_all(cluster: Cluster) -> None:
    """End all jobs, so that nothing outlives the services."""
    cluster.run("scancel", f"--user={cluster.user}")
    _wait(lambda: not cluster.job_ids("PENDING,RUNNING,COMPLETING"), cluster.folder / "slurmctld.log")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(condition: object, log: Path, timeout_s: float = 60.0) -> None:
    """Wait until a condition is met; else fail with what a service wrote."""
    assert callable(condition)
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{log.name}: {log.read_text()[-3000:] if log.exists() else 'nothing'}"
        time.sleep(0.2)


def temporary_folder() -> Path:
    """Return a new folder that every user may enter: the services are several users."""
    return Path(tempfile.mkdtemp(prefix="ion-cluster-"))


if __name__ == "__main__":
    at = Path(sys.argv[1]).absolute()
    at.mkdir()
    with running_cluster(at) as started:
        print(f"HOME={started.home}; ssh {ALIAS}; port {started.port}", flush=True)
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            print("stopping")
