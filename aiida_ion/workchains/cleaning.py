"""Work chains that remove the scratch of the jobs that they called."""

from __future__ import annotations

from typing import Any

from aiida.engine import WorkChain

from aiida_ion.calculations.cleaning import clean_jobs, define_cleaning


class CleaningWorkChain(WorkChain):
    """A work chain that, when it ends, removes the remote folders of its jobs whose results were parsed.

    Its own jobs alone: work chains that it calls see to theirs.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare the input."""
        super().define(spec)
        define_cleaning(spec)

    def on_terminated(self) -> None:
        """Remove what is not needed any more, however the work chain ended."""
        super().on_terminated()
        if self.inputs.clean_workdir:
            clean_jobs(self.node.called)
