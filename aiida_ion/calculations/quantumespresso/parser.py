"""What the parsers of the Quantum ESPRESSO jobs share: pw.x's output, its log, its error streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from aiida import orm

from aiida_ion.calculations.quantumespresso.job import error_name
from aiida_ion.calculations.script import FILENAME_SCHEDULER_STDERR, ScriptParser
from aiida_ion.dft.pw.output import PwOutput, read_output
from aiida_ion.dft.pw.status import read_ranks

FILENAME_LOG = "pw-log.txt"
LOG_HEAD_LINES = 150
LOG_TAIL_LINES = 60
#: Lines of pw.x on its arithmetic and its exit status, and of MPI on how it ends.
NOISE = ("Note: The following floating-point", "STOP ", "NOTE: invoking MPI_ABORT")


class PwParser(ScriptParser):
    """Base of the parsers of pw.x's standard output, which is read from the temporary folder and then dropped."""

    def read_runs(self, folder: Path, stems: Sequence[str]) -> list[PwOutput]:
        """Return the output of each run, and attach the log."""
        paths = [folder / f"{stem}.out" for stem in stems]
        log = "".join(f"==> {path.name}\n{excerpt(path)}\n" for path in paths if path.exists())
        if log:
            self.out("log", orm.SinglefileData.from_string(log, filename=FILENAME_LOG))
        n_atoms = len(self.node.inputs.structure.sites)
        return [read_output(path, n_atoms) for path in paths]

    def mpi_problem_of(self, runs: Sequence[PwOutput]) -> str | None:
        """Return what is wrong if pw.x ran with another number of MPI processes than requested."""
        return self.validate_mpi(next((ranks for ranks in map(read_ranks, runs) if ranks is not None), None))

    def errors(self, stems: Sequence[str]) -> list[str]:
        """Return the error stream of each run with that of the job, without meaningless lines."""
        job = self.text(FILENAME_SCHEDULER_STDERR)
        texts = [f"{self.text(error_name(stem, stems))}\n{job}" for stem in stems]
        return ["\n".join(line for line in text.splitlines() if not line.startswith(NOISE)) for text in texts]


def excerpt(path: Path) -> str:
    """Return the first and the last lines of a text."""
    with path.open(errors="replace") as handle:
        head = list(islice(handle, LOG_HEAD_LINES))
        tail: deque[str] = deque(maxlen=LOG_TAIL_LINES)
        left_out = -LOG_TAIL_LINES
        for line in handle:
            tail.append(line)
            left_out += 1
    gap = [f"... {left_out} lines left out ...\n"] if left_out > 0 else []
    return "".join([*head, *gap, *tail])
