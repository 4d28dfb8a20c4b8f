"""The jump analysis of each temperature, beside the fits of ``ion.conductivity``; nothing depends on it."""

from __future__ import annotations

from typing import Any

from aiida import orm

from aiida_ion.calculations.jumps import JumpsCalculation, inputs_beside_fit
from aiida_ion.workchains.conductivity.rounds import RoundsWorkChain
from aiida_ion.workchains.conductivity.runs import outcome


class JumpsWorkChain(RoundsWorkChain):
    """Once all runs have ended: a job for each temperature that was fitted, on the trajectories of its last fit."""

    def wants_jumps(self) -> bool:
        """Whether jump analyses are asked for."""
        return bool(self.ctx.parameters.get("jumps", False))

    def submit_jumps(self) -> None:
        """Submit a job for each fit, with its code and trajectories and the supercell's sites."""
        settings = self.ctx.parameters.get("jump_settings", {})
        for label, fit in self.ctx.fits.items():
            job: Any = orm.load_node(fit["pk"])
            inputs = inputs_beside_fit(job, self.ctx.supercell, settings)
            inputs["metadata"] = self._metadata_of_fits() | {"call_link_label": f"jumps_{label}"}
            if self.inputs.fresh:
                inputs["metadata"]["disable_cache"] = True
            self.to_context(**{f"jumps_{label}": self.submit(JumpsCalculation, **inputs)})

    def _metadata_of_fits(self) -> dict[str, Any]:
        """Return the options of the fits without their parser: the jobs run with the same code on the same computer."""
        metadata = dict(self.inputs.diffusion.get("metadata", {}))
        options = {name: value for name, value in metadata.get("options", {}).items() if name != "parser_name"}
        return metadata | {"options": options}

    def inspect_jumps(self) -> None:
        """Attach the analyses; one that failed is reported, and that is all."""
        for label in self.ctx.fits:
            job = self.ctx[f"jumps_{label}"]
            if "jumps" in job.outputs:
                self.out(f"jumps.{label}", job.outputs.jumps)
            else:
                self.report(f"{label} has no jump analysis: {outcome(job)}")
