"""What all runner programs share: errors with a status, files written in one step, versions and the cost ledger.

Imports only the standard library, so that the thread limits are set before NumPy or torch start their threads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: Disk space that is freed before the results are written, so that a full disk can still be reported, bytes.
RESERVE, RESERVE_BYTES = Path("reserve"), 64 * 1024
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")


class RunnerError(Exception):
    """A run that cannot continue, for a cause that the caller can fix.

    :param status: the cause in one word, written to ``results.json``.
    :param message: one sentence that says what to do.
    :param details: further entries of the results.
    """

    def __init__(self, status: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or {}


class Ledger:
    """Wall time, processor time and memory of this process and of the programs that it ran, from its start."""

    def __init__(self) -> None:
        self.start_s = time.monotonic()
        self.gpu_start_s: float | None = None
        self.loop_wall_s = 0.0
        self.n_steps = 0

    def elapsed_s(self) -> float:
        """Return the wall time since the program started, s."""
        return time.monotonic() - self.start_s

    def hold_gpu(self) -> None:
        """Record that the program holds a GPU from now on."""
        self.gpu_start_s = time.monotonic()

    def cost(self, n_atoms: int | None, device: str, threads: int) -> dict[str, Any]:
        """Return the cost of the run; GPU time is the wall time during which the GPU was held.

        :param n_atoms: number of atoms, where known.
        :param device: device the potential ran on.
        :param threads: threads it was given.
        """
        gpu_time_s = 0.0 if self.gpu_start_s is None else time.monotonic() - self.gpu_start_s
        return {
            "wall_time_s": self.elapsed_s(),
            "cpu_time_s": time.process_time() + _cpu_time_of_children_s(),
            "gpu_time_s": gpu_time_s,
            "peak_memory_MiB": max(map(_peak_memory_mebibytes, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))),
            "peak_gpu_memory_MiB": _peak_gpu_memory_mebibytes() if self.gpu_start_s is not None else None,
            "n_steps": self.n_steps,
            "steps_per_s": self.n_steps / self.loop_wall_s if self.loop_wall_s > 0 else 0.0,
            "n_atoms": n_atoms,
            "device": device,
            "hardware": hardware_name(device),
            "threads": threads,
        }


def _cpu_time_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_memory_mebibytes(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss / 1024.0


def run_program(body: Callable[[dict[str, Any], Ledger], None]) -> int:
    """Run the body of a program and write ``results.json`` at the end, whatever happened.

    :param body: fills the results; its errors become a status and a message.
    :returns: the exit status of the process, 0 whenever the results were written.
    """
    ledger = Ledger()
    results: dict[str, Any] = {"status": "failed", "message": "The program ended without a status."}
    for stale in ("results.json", "progress.json"):
        Path(stale).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        RESERVE.write_bytes(os.urandom(RESERVE_BYTES))
    try:
        body(results, ledger)
    except RunnerError as error:
        results |= {"status": error.status, "message": error.message} | error.details
    except Exception as error:
        traceback.print_exc()
        results |= status_of(error)
    engine = results.get("engine", {})
    results["cost"] = ledger.cost(results.pop("n_atoms", None), engine.get("device", "cpu"), engine.get("threads", 1))
    results.setdefault("versions", versions(()))
    RESERVE.unlink(missing_ok=True)
    write_json(Path("results.json"), results, durable=True)
    return 0


def status_of(error: Exception) -> dict[str, str]:
    """Return status and message of an unexpected error."""
    if is_out_of_memory(error):
        advice = "give the job more memory or a smaller cell"
        return {"status": "out_of_memory", "message": f"The run ran out of memory: {advice} ({error})."}
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return {"status": "disk_full", "message": f"Writing the results failed: {error}; free some space."}
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
        return {"status": "disk_failed", "message": f"Writing the results failed: {error}."}
    where = f"{type(error).__name__}: {error}"
    return {
        "status": "failed",
        "message": f"The program failed ({where}); the traceback is in its error output.",
    }


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, of the machine or the GPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in OUT_OF_MEMORY_WORDS)


def limit_threads(inputs: Path) -> None:
    """Tell OpenMP and the BLAS libraries the requested number of threads, before they start.

    :param inputs: the inputs file; one that cannot be read is refused later.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        threads = int(json.loads(inputs.read_text())["potential"].get("threads", 1))
        os.environ.update({name: str(max(threads, 1)) for name in THREAD_VARIABLES})


def write_json(path: Path, content: Any, durable: bool = False) -> None:
    """Replace a JSON file in one step.

    :param path: the file.
    :param content: what to write; numbers that JSON does not have (NaN) become null.
    :param durable: wait until it is on the disk.
    """
    write_bytes(path, json.dumps(_finite(content), indent=1).encode(), durable)


def write_bytes(path: Path, content: bytes, durable: bool) -> None:
    """Replace a file in one step: write a temporary file, then rename it."""
    beside = path.with_name(path.name + ".partial")
    with beside.open("wb") as stream:
        stream.write(content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    beside.replace(path)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    if isinstance(content, float) and (not math.isfinite(content)):
        return None
    return content


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions(packages: Iterable[str]) -> dict[str, Any]:
    """Return the versions of the packages that decide the numbers.

    :param packages: distribution names in addition to ASE, NumPy, SciPy and torch; those not installed are left out.
    """
    result: dict[str, Any] = {"python": platform.python_version()}
    for name in dict.fromkeys(("ase", "numpy", "scipy", "torch", *packages)):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            result[name] = importlib.metadata.version(name)
    return result | {"runner_sha256": runner_sha256()}


def runner_sha256() -> str:
    """Return one sha256 of this package on the compute machine: a program and what it imports."""
    digest = hashlib.sha256()
    for path, content in sorted(_modules(files(__package__.partition(".")[0]))):
        digest.update(path.encode() + b"\0" + content)
    return digest.hexdigest()


def _modules(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the modules of a package, which may be in a zip archive: their path and text."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{above}{entry.name}", entry.read_bytes()


def hardware_name(device: str) -> str:
    """Return the name of the GPU or processor that the run used."""
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(device))
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _peak_gpu_memory_mebibytes() -> float | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_allocated()) / 2**20
