"""What all jobs that run one of our programs share: upload, command line, exit codes, reading the results."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from aiida.parsers import Parser

from aiida_ion.calculations.programs import program_command, program_node
from aiida_ion.endings import Ending, find_ending
from aiida_ion.places.job import PlacedJob

#: Fraction of the requested wall time after which a program stops by itself, to write its restart file.
WALLTIME_FRACTION = 0.95
WALLTIME_MARGIN_S = 120.0
#: Environment variable with the seconds that a job's script took before its program: those of ``module load`` count.
SECONDS_USED = "AIIDA_ION_SECONDS_USED"

FILENAME_INPUTS = "inputs.json"
FILENAME_RESULTS = "results.json"
FILENAME_STDOUT = "stdout.txt"
FILENAME_STDERR = "stderr.txt"
FILENAME_SCHEDULER_STDERR = "_scheduler-stderr.txt"
FILENAME_HARDWARE = "hardware.txt"
#: Errors of reading a file that is truncated, or not of the kind that its name says.
UNREADABLE = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)


def define_exit_codes(spec: Any) -> None:
    """Declare the exit codes that mean the same in every job of this package."""
    spec.exit_code(
        210, "ERROR_INVALID_INPUT", message="The program refused its input: {detail}", invalidates_cache=True
    )
    spec.exit_code(
        220,
        "ERROR_UNKNOWN_POTENTIAL",
        message="The potential cannot be used as asked: {detail}",
        invalidates_cache=True,
    )
    spec.exit_code(
        300,
        "ERROR_OUTPUT_MISSING",
        message="The program left no results: {detail}",
        invalidates_cache=True,
    )
    spec.exit_code(310, "ERROR_OUTPUT_UNREADABLE", message="An output cannot be read: {detail}", invalidates_cache=True)
    spec.exit_code(
        320,
        "ERROR_PROGRAM_FAILED",
        message="The program failed for a reason of its own: {detail}",
        invalidates_cache=True,
    )
    spec.exit_code(
        330,
        "ERROR_DISK_FULL",
        message="There was no room for the files of the job: {detail}",
        invalidates_cache=True,
    )
    spec.exit_code(
        340,
        "ERROR_OUT_OF_WALLTIME_NO_RESTART",
        message="The run ended before it made progress that can be continued: {detail}",
        invalidates_cache=True,
    )
    spec.exit_code(
        400, "ERROR_OUT_OF_WALLTIME", message="The run stopped early and can be continued from its state: {detail}"
    )
    spec.exit_code(410, "ERROR_TRAJECTORY_EXPLODED", message="The trajectory exploded: {detail}")
    spec.exit_code(
        420, "ERROR_ENGINE_IMPORT_FAILED", message="The engine cannot be loaded: {detail}", invalidates_cache=True
    )
    spec.exit_code(
        425, "ERROR_MPI_FAILED", message="MPI did not start the program as asked: {detail}", invalidates_cache=True
    )
    spec.exit_code(430, "ERROR_OUT_OF_MEMORY", message="Out of memory: {detail}", invalidates_cache=True)


def define_ledger(spec: Any) -> None:
    """Declare the outputs with cost and versions."""
    spec.output("cost", valid_type=orm.Dict, required=False, help="Wall, CPU and GPU time (s), peak memory (MiB).")
    spec.output("versions", valid_type=orm.Dict, required=False, help="Versions of everything that mattered.")


def ledger_outputs(results: Mapping[str, Any]) -> dict[str, orm.Dict]:
    """Return cost and versions from the results of a program as nodes, as far as it has them."""
    return {name: orm.Dict(dict(results[name])) for name in ("cost", "versions") if results.get(name)}


#: Status word of a program -> exit code label. ``finished`` has none.
STATUS_EXIT_CODES: dict[str, str] = {
    "invalid_input": "ERROR_INVALID_INPUT",
    "unknown_potential": "ERROR_UNKNOWN_POTENTIAL",
    "element_unknown": "ERROR_UNKNOWN_POTENTIAL",
    "potential_changed": "ERROR_POTENTIAL_CHANGED",
    "checkpoint_missing": "ERROR_UNKNOWN_POTENTIAL",
    "checkpoint_mismatch": "ERROR_UNKNOWN_POTENTIAL",
    "checkpoint_unreadable": "ERROR_UNKNOWN_POTENTIAL",
    "checkpoint_untrusted": "ERROR_UNKNOWN_POTENTIAL",
    "walltime": "ERROR_OUT_OF_WALLTIME",
    "terminated": "ERROR_OUT_OF_WALLTIME",
    "exploded": "ERROR_TRAJECTORY_EXPLODED",
    "left_training": "ERROR_LEFT_TRAINING_FRAMES",
    "scf_not_converged": "ERROR_SCF_NOT_CONVERGED",
    "engine_import_failed": "ERROR_ENGINE_IMPORT_FAILED",
    "mpi_failed": "ERROR_MPI_FAILED",
    "out_of_memory": "ERROR_OUT_OF_MEMORY",
    "not_converged": "WARNING_NOT_RELAXED",
    "failed": "ERROR_PROGRAM_FAILED",
    "engine_failed": "ERROR_PROGRAM_FAILED",
    "disk_failed": "ERROR_PROGRAM_FAILED",
    "disk_full": "ERROR_DISK_FULL",
}
#: Exit statuses from AiiDA's schedulers -> why the job ended.
SCHEDULER_ENDINGS = {
    110: Ending("out_of_memory", "the scheduler says that it ran out of memory: give the job more, or a smaller cell"),
    120: Ending("walltime", "the scheduler says that it ran out of wall time: allow more"),
    140: Ending(None, "the scheduler says that its node failed"),
}


def write_json(folder: folders.Folder, name: str, content: dict[str, Any]) -> None:
    """Write a JSON file into the folder that is uploaded; floats keep every bit, NaN is refused."""
    Path(folder.get_abs_path(name)).write_text(json.dumps(content, allow_nan=False))


def seconds_allowed(max_wallclock_seconds: int | None) -> float | None:
    """Return the wall time that a program may use, s, so that it ends before the scheduler ends it."""
    if max_wallclock_seconds is None:
        return None
    return max(WALLTIME_FRACTION * max_wallclock_seconds, max_wallclock_seconds - WALLTIME_MARGIN_S)


def threads_of(options: dict[str, Any]) -> int:
    """Return the number of threads of a job: its cores per process, one by default."""
    resources = options.get("resources", {})
    return int(resources.get("num_cores_per_mpiproc") or 1)


def run_environment(options: dict[str, Any]) -> str:
    """Return the shell lines before a compiled program: they set its threads and record the processor's name."""
    return (
        f"export OMP_NUM_THREADS={threads_of(options)}\n"
        f"grep -m 1 'model name' /proc/cpuinfo 2>/dev/null | cut -d: -f2 > {FILENAME_HARDWARE}\n"
    )


def read_hardware(folder: Path) -> str | None:
    """Return the processor's name as the job recorded it."""
    path = folder / FILENAME_HARDWARE
    return path.read_text().strip() or None if path.exists() else None


class ScriptCalculation(PlacedJob):
    """Base of the jobs that run one of our programs with the Python of an environment."""

    _program = ""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare what all of them have."""
        super().define(spec)
        spec.input(
            "program",
            valid_type=orm.FolderData,
            default=lambda: program_node(cls._program),
            help="The program that is run, with the modules it imports; by default the one of this package.",
        )
        spec.inputs["metadata"]["options"]["resources"].default = lambda: {
            "num_machines": 1,
            "num_mpiprocs_per_machine": 1,
        }
        spec.inputs["metadata"]["options"]["withmpi"].default = False
        define_exit_codes(spec)

    def describe(
        self,
        folder: folders.Folder,
        temporary: Sequence[str | tuple[str, str, int]],
        excluded: tuple[str, ...] = (),
    ) -> datastructures.CalcInfo:
        """Return the job description for :meth:`prepare_for_submission`.

        :param folder: the folder that is uploaded; the program is written into it here.
        :param temporary: files that are parsed and then dropped; patterns as AiiDA's ``retrieve_temporary_list``.
        :param excluded: files of the folder whose content the input nodes hold already.
        """
        program = self.inputs.program.base.repository
        program.copy_tree(folder.abspath)
        threads = threads_of(self.inputs.metadata.options)
        code = datastructures.CodeInfo()
        code.code_uuid = self.inputs.code.uuid
        code.cmdline_params = program_command(self._program, self.inputs.program)
        code.stdout_name, code.stderr_name = FILENAME_STDOUT, FILENAME_STDERR
        info = datastructures.CalcInfo()
        info.codes_info = [code]
        info.prepend_text = "".join(
            f"export {name}={threads}\n" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        )
        info.prepend_text += f"export {SECONDS_USED}=$SECONDS\n"  # bash counts them from the start of the script
        info.retrieve_list = [FILENAME_RESULTS, FILENAME_STDERR]
        info.retrieve_temporary_list = list(temporary)
        # The program is already an input node.
        info.provenance_exclude_list = [*map(str, program.glob()), *excluded]
        return info


class ScriptParser(Parser):
    """Base of the parsers that read ``results.json``."""

    def read_results(self) -> dict[str, Any] | None:
        """Return the content of ``results.json``; ``None`` if the program did not get that far.

        :raises ValueError: if the file is there and is not the whole JSON object that a program writes.
        """
        try:
            text = self.retrieved.base.repository.get_object_content(FILENAME_RESULTS, "r")
        except FileNotFoundError:
            return None
        results = json.loads(text)
        if not isinstance(results, dict) or "status" not in results:
            raise ValueError(f"{FILENAME_RESULTS} has no status")
        return results

    def attach_ledger(self, results: Mapping[str, Any]) -> None:
        """Attach cost and versions of the program."""
        for name, node in ledger_outputs(results).items():
            self.out(name, node)

    def text(self, name: str) -> str:
        """Return the content of a retrieved file; ``None`` if it is not there."""
        try:
            content: str = self.retrieved.base.repository.get_object_content(name, "r")
        except FileNotFoundError:
            return ""
        return content

    def error_streams(self) -> str:
        """Return the error streams of the program and of its job."""
        return "\n".join(map(self.text, (FILENAME_STDERR, FILENAME_SCHEDULER_STDERR)))

    def ending(self) -> Ending:
        """Return why the job ended without results, according to the program, the shell, MPI and the scheduler."""
        cause = find_ending(self.error_streams())
        by_scheduler = SCHEDULER_ENDINGS.get(self.node.exit_status or 0)
        return by_scheduler if cause.status is None and by_scheduler is not None else cause

    def validate_mpi(self, n_ranks: int | None) -> str | None:
        """Return what is wrong if a program ran with another number of MPI processes than requested.

        Under the mpirun of another MPI each process acts as if it were alone: all of them do the whole run, and write
        into the same files.

        :param n_ranks: what the program reports; ``None`` if it does not.
        """
        if n_ranks is None or not self.node.get_option("withmpi"):
            return None
        resources = self.node.get_option("resources") or {}
        each = resources.get("num_machines", 1) * (resources.get("num_mpiprocs_per_machine") or 1)
        n_expected = int(resources.get("tot_num_mpiprocs") or each)
        if n_expected == n_ranks:
            return None
        return (
            f"{n_expected} MPI processes were asked for, and the program ran with {n_ranks}: the mpirun command is of "
            "another MPI, or the program has none; put the right one first on the PATH in --prepend-text of the "
            "engine, or take one process"
        )

    def exit_code_of_ending(self, ending: Ending, otherwise: str = "ERROR_OUTPUT_MISSING") -> ExitCode:
        """Return the exit code of a job without usable results.

        :param ending: why it ended.
        :param otherwise: label of the code where the reason is unknown.
        """
        if ending.status in ("walltime", "terminated"):
            otherwise = "ERROR_OUT_OF_WALLTIME_NO_RESTART"
        elif ending.status is not None:
            otherwise = STATUS_EXIT_CODES[ending.status]
        return self.exit_code(otherwise, ending.message)

    def exit_code(self, label: str, detail: str) -> ExitCode:
        """Return the exit code with this label, with the detail in its message."""
        code: ExitCode = self.exit_codes[label].format(detail=detail.rstrip("."))
        return code

    def exit_code_of_status(self, results: dict[str, Any]) -> ExitCode | None:
        """Return the exit code that belongs to the status word of a program; ``None`` for ``finished``."""
        status = str(results["status"])
        if status == "finished":
            return None
        label = STATUS_EXIT_CODES.get(status, "ERROR_PROGRAM_FAILED")
        return self.exit_code(label, str(results.get("message") or status))
