"""What the numbers of exit codes mean, for those who continue, repeat, use or clean what a process left.

The codes themselves are declared by the processes, each with its message.
"""

from __future__ import annotations

FINISHED = 0
#: The run stopped early and can be continued from its state.
OUT_OF_WALLTIME = 400
#: The trajectory exploded: continued exactly, it would explode again.
EXPLODED = 410
#: The run left the frames that its potential was trained on, and was stopped: repeated or continued, it would again.
LEFT_TRAINING = 411
#: From here on codes are warnings: results are there.
FIRST_WARNING = 700
#: A job with many materials was stopped: those that it got to have results, and only the others are computed again.
MATERIALS_MISSING = 710
#: Of jobs whose results are in the database, beside warnings: what was reached is there, and whatever continues does so
#: from nodes.
PARSED = (FINISHED, OUT_OF_WALLTIME)
#: Of jobs that something outside stopped: wall time, a kill, a lost node, memory; those below 200 are of schedulers.
STOPPED_EARLY = (110, 120, 140, 300, 340, OUT_OF_WALLTIME, 430)
#: After these a job that got no further is repeated whole: 440, electrons that do not converge, too.
REPEATED = (*STOPPED_EARLY, 440)


def is_usable(exit_status: int | None) -> bool:
    """Whether a process with this exit status left what it was asked for, if with a warning.

    :param exit_status: ``None`` of a process that runs, or that was killed or excepted.
    """
    return exit_status is not None and (exit_status == FINISHED or exit_status >= FIRST_WARNING)


def is_parsed(exit_status: int | None) -> bool:
    """Whether the results of a job with this exit status are in the database."""
    return exit_status in PARSED or is_usable(exit_status)
