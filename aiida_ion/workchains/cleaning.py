"""Work chains that remove the scratch of the jobs that they called."""

from __future__ import annotations

from typing import Any

from aiida_ion.calculations.cleaning import clean_jobs, define_cleaning


class CleaningMixin:
    """Mixin of a work chain: when it ends, it removes the remote folders of its jobs whose results were parsed.

    Only those of its own jobs: the work chains that it calls remove theirs.
    """

    inputs: Any
    node: Any

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the input."""
        parent: Any = super()
        parent.define(spec)
        define_cleaning(spec)

    def on_terminated(self) -> None:
        """Remove what is no longer needed, however the work chain ended."""
        parent: Any = super()
        parent.on_terminated()
        if self.inputs.clean_workdir:
            clean_jobs(self.node.called)
