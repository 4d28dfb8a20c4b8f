"""How a run of pw.x ended and what to do about it; what it computed and its cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from aiida_ion.dft.pw.output import PwOutput
from aiida_ion.dft.pw.upf import functional_name
from aiida_ion.endings import KILLED, find_ending, known_cause, last_lines

#: Text of pw.x's errors -> advice. The first match counts.
ADVICE = (
    ("smearing is needed", "set SYSTEM occupations to smearing with a degauss, or correct the charge"),
    ("number of pools", "ask for fewer pools in parallelization, or for more processes"),
    ("no k-points", "ask for fewer pools in parallelization"),
    ("too few bands", "leave out SYSTEM nbnd"),
    ("namelist", "correct that key of namelists"),
    ("ecut", "give other cut-offs in SYSTEM"),
    ("readpp", "give another pseudopotential file"),
    ("symmetry operations", "the atoms may have flown apart: relax the structure or try a smaller timestep_fs"),
    ("S matrix not positive", "two atoms may have met: relax the structure or try a smaller timestep_fs"),
    ("cholesky", "try ELECTRONS diagonalization cg, or fewer processes in ndiag"),
    ("davcio", "check the disk of the compute machine"),
    ("diropn", "check the disk of the compute machine"),
)


def judge(runs: Sequence[PwOutput], errors: Sequence[str], n_steps: int, reached: int) -> tuple[str | None, str]:
    """Return status and message of the runs of one job; the status is ``None`` when the job was killed.

    :param runs: in order; a run that was never started is empty.
    :param errors: the error stream of each.
    :param n_steps: how many ionic steps were requested.
    :param reached: how many were completed.
    """
    if reached >= n_steps:
        return "finished", f"pw.x did its {reached} ionic steps"
    # A later run can only continue from a first one that completed its step.
    unfinished = (i for i, run in enumerate(runs) if not any(step.conserved_Ry is not None for step in run.steps))
    index = next(unfinished, len(runs) - 1)
    run, stream = runs[index], errors[index]
    return _failure(run, stream) or _stop(run, stream, f"after {reached} of {n_steps} ionic steps")


def _stop(run: PwOutput, errors: str, where: str) -> tuple[str | None, str]:
    if run.scf_failed:
        advice = "a smaller ELECTRONS mixing_beta or a larger electron_maxstep may help"
        return "scf_not_converged", f"pw.x found no self-consistent density {where}; {advice}"
    if run.out_of_time:
        return "walltime", f"the time limit came {where}; continue from the state"
    if run.done:
        return "engine_failed", f"pw.x ended {where} without a reason; read its log"
    ending = find_ending(errors)
    if not run.head and ending.status is None and errors.strip() and not KILLED.search(errors):
        text = last_lines(errors)
        return "engine_import_failed", f"pw.x was not started: {text}; correct the code or the mpirun command"
    return ending.status, f"pw.x was stopped {where}: {ending.message}"


def _failure(run: PwOutput, errors: str) -> tuple[str, str] | None:
    routine, words = run.error or ("", "")
    known = known_cause(errors, words)
    # pw.x's own error message comes before a crash that it caused.
    if known is not None and known.status not in ("walltime", "engine_failed"):
        return str(known.status), f"pw.x: {known.message}"
    if run.error is None:
        return None
    text = f"{words} (in its routine {routine})"
    advice = next((what for word, what in ADVICE if word in f"{routine} {words}"), "read its log")
    if not run.calculating or "smearing is needed" in words:
        return "invalid_input", f"pw.x refused its input: {text}; {advice}"
    return "engine_failed", f"pw.x stopped with an error: {text}; {advice}"


def read_cost(runs: Sequence[PwOutput]) -> dict[str, Any]:
    """Return the total cost of the runs of a job and the largest memory; empty if they printed none.

    pw.x prints the CPU time of one process, and only at its end; until then its elapsed time is used for both.
    """
    timed = [run for run in runs if run.time_s is not None]
    if not timed:
        return {}
    processes, threads = _processes(timed[-1])
    memory = [run.memory_MiB * processes for run in timed if run.memory_MiB is not None]
    cost: dict[str, Any] = {
        "wall_time_s": sum(run.time_s or 0.0 for run in timed),
        "cpu_time_s": processes * sum((run.cpu_s if run.cpu_s is not None else run.time_s) or 0.0 for run in timed),
        "processes": processes,
        "threads": threads,
    }
    if memory:
        cost |= {"peak_memory_MiB": max(memory), "peak_memory_source": "estimated by pw.x"}
    return cost


def _processes(run: PwOutput) -> tuple[int, int]:
    """Return the number of processes and of threads of each."""
    head = "".join(run.head)
    threads = re.search(r"Threads/MPI process:\s+(\d+)", head)
    alone = re.search(r"Serial multi-threaded version, running on\s+(\d+) proc", head)
    counts = threads or alone
    return read_ranks(run) or 1, int(counts[1]) if counts else 1


def read_ranks(run: PwOutput) -> int | None:
    """Return the number of MPI processes that pw.x prints, None if it did not get that far."""
    head = "".join(run.head)
    explicit = re.search(r"Number of MPI processes:\s+(\d+)", head)
    parallel = explicit or re.search(r"Parallel version \(MPI[^)]*\), running on\s+(\d+) proc", head)
    if parallel is not None:
        return int(parallel[1])
    return 1 if "Serial" in head else None


def read_versions(run: PwOutput) -> dict[str, Any]:
    """Return program, functional, cut-offs and other electronic settings, as pw.x prints them."""
    head = "".join(run.head)
    versions: dict[str, Any] = {}
    for name, pattern, make in _FACTS:
        match = re.search(pattern, head)
        if match is not None:
            versions[name] = make(match[1])
    pseudos = re.findall(r"PseudoPot\. # *\d+ for (\S+) +read from file:\s+(\S+)\s+MD5 check sum: (\w+)", head)
    if pseudos:
        versions["pseudopotentials"] = {
            label: {"file": path.rpartition("/")[2], "md5": md5} for label, path, md5 in pseudos
        }
    if versions:
        versions["gamma_only"] = "gamma-point specific algorithms" in head
    return versions


_FACTS: tuple[tuple[str, str, Any], ...] = (
    ("quantumespresso", r"Program PWSCF v\.(\S+)", str),
    ("functional", r"Exchange-correlation *= *([^(\n]*[^(\s])", functional_name),
    ("ecutwfc_Ry", r"kinetic-energy cutoff +=\s+([\d.]+)", float),
    ("ecutrho_Ry", r"charge density cutoff +=\s+([\d.]+)", float),
    ("conv_thr_Ry", r"scf convergence threshold +=\s+(\S+)", float),
    ("n_electrons", r"number of electrons +=\s+([\d.]+)", float),
    ("n_bands", r"number of Kohn-Sham states *=\s+(\d+)", int),
    ("n_k_points", r"number of k points= *(\d+)", int),
    ("smearing", r"number of k points= *\d+\s+(\S.*smearing.*)", lambda words: " ".join(words.split())),
)
