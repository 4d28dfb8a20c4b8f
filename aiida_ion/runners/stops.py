"""How a run ends in time: the signals of schedulers, and the wall time that it may use."""

from __future__ import annotations

import math
import os
import signal
from typing import Any

from aiida_ion.runners.output import RunnerError

#: Fraction of max_seconds, and its upper limit in s, reserved for writing at the end.
WRITING_SHARE, WRITING_LIMIT_S = 0.1, 5.0
#: Environment variable with the wall time that the job used before its program started, s.
SECONDS_USED = "AIIDA_ION_SECONDS_USED"


class StopSignal:
    """Records the signals by which schedulers announce the end; the run stops after the current step."""

    def __init__(self) -> None:
        self.name = ""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: Any) -> None:
        self.name = signal.Signals(number).name


def usable_seconds(max_seconds: float | None) -> float:
    """Return the wall time that a run may use before it writes its end, s; infinite without a limit.

    What the job used before the program started, as for loading modules, is taken off; zero is the least.

    :raises RunnerError: ``invalid_input`` for a time that is not positive.
    """
    if max_seconds is None:
        return math.inf
    if not float(max_seconds) > 0:
        raise RunnerError("invalid_input", "max_seconds must be positive or null")
    used = os.environ.get(SECONDS_USED, "")  # empty in a shell that does not count
    usable = float(max_seconds) - min(WRITING_SHARE * float(max_seconds), WRITING_LIMIT_S)
    return max(0.0, usable - float(used)) if used.isdigit() else usable
