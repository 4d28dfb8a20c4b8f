"""``ion.conductivity``: a crystal becomes an ionic conductivity, with its interval and its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, if_, while_

from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.convergence import decide_extensions
from aiida_ion.calculations.diffusion import DiffusionCalculation
from aiida_ion.calculations.functions import make_supercell, sum_costs
from aiida_ion.calculations.jumps import JumpsCalculation
from aiida_ion.workchains.conductivity.builder import builder_from_protocol
from aiida_ion.workchains.conductivity.fits import (
    define_fits,
    diffusion_of,
    due_fits,
    fit_inputs,
    fit_name,
    plan_fits,
    valid_fits,
)
from aiida_ion.workchains.conductivity.inputs import define_inputs, validate_inputs
from aiida_ion.workchains.conductivity.jumps import define_jumps, jumps_inputs, jumps_name
from aiida_ion.workchains.conductivity.md import (
    costs_of,
    define_md,
    engine_of,
    result_of,
    run_inputs,
    shared_settings,
    total_steps_run,
)
from aiida_ion.workchains.conductivity.prepared import define_prepared, prepared_of
from aiida_ion.workchains.conductivity.relaxation import (
    define_relaxation,
    is_relaxed,
    relaxation_builder,
    supercell_settings,
)
from aiida_ion.workchains.conductivity.result import arrhenius_parameters, define_result
from aiida_ion.workchains.conductivity.rounds import decided_lengths, decision_inputs, define_rounds
from aiida_ion.workchains.conductivity.runs import expand_runs, extend_runs, record_result, run_of
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain

#: Each part of the work chain declares its own ports and exit codes.
PARTS = (
    define_inputs,
    define_prepared,
    define_relaxation,
    define_md,
    define_fits,
    define_rounds,
    define_jumps,
    define_result,
)


class ConductivityWorkChain(WindowWorkChain):
    """Relax, make a supercell, run temperatures x seeds, fit the diffusion, extrapolate the conductivity.

    With `target_relative_error` the runs are continued, round by round, until it is met or the budget is used up.

    The context holds plain data and nodes, so it survives a restart of the daemon: `runs`
    (:class:`~aiida_ion.workchains.conductivity.runs.Run`), `fits` by label
    (:class:`~aiida_ion.workchains.conductivity.fits.Fit`), `md_pks` of all work chains, `decisions` (pks), and
    `refused`, the reasons why runs and fits are not used.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare what all parts need, and the outline."""
        super().define(spec)
        for define_part in PARTS:
            define_part(spec)
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.setup,
            if_(cls.should_relax)(cls.run_relaxation, cls.inspect_relaxation),
            cls.run_supercell,
            cls.queue_runs,
            while_(cls.has_another_round)(
                while_(cls.window_is_open)(cls.fill_window),
                cls.submit_fits,
                cls.inspect_fits,
                cls.end_round,
            ),
            if_(cls.wants_jumps)(cls.submit_jumps, cls.inspect_jumps),
            cls.conclude,
        )

    @classmethod
    def get_builder_from_protocol(
        cls,
        structure: orm.StructureData,
        engine: str,
        protocol: str | None = None,
        overrides: Mapping[str, Any] | str | None = None,
        **engine_inputs: Any,
    ) -> Any:
        """Return a builder whose inputs a protocol fills.

        :param structure: the crystal.
        :param engine: entry point of the engine, such as ``ion.md.mlip``.
        :param protocol: ``fast``, ``balanced``, ``stringent`` or ``obelix``.
        :param overrides: changes to the protocol; a mapping or the path of a YAML file.
        :param engine_inputs: `code`, `potential`, ..., `diffusion_code`, and `options` of the jobs.
        :raises ValueError: if the structure or a setting cannot be used; the message says why.
        """
        return builder_from_protocol(cls, structure, engine, protocol, overrides, **engine_inputs)

    def setup(self) -> None:
        """Read the inputs into the context."""
        self.ctx.parameters = self.inputs.parameters.get_dict()
        self.ctx.structure = self.inputs.structure
        self.ctx.fits, self.ctx.fit_errors = {}, {}
        self.ctx.decisions, self.ctx.md_pks, self.ctx.refused = [], [], []

    def should_relax(self) -> bool:
        """Whether the ions are relaxed first; not those of a cell that is given relaxed."""
        prepared = prepared_of(self.inputs)
        for name in ("relaxed_structure", "relaxation"):
            if name in prepared:
                self.out(name, prepared[name])
        self.ctx.structure = prepared.get("relaxed_structure", self.ctx.structure)
        return bool(self.ctx.parameters["relax_ions"]) and "relaxed_structure" not in prepared

    def run_relaxation(self) -> Any:
        """Relax the ions in the fixed cell with the same potential."""
        return ToContext(relaxation=self.submit(relaxation_builder(self.inputs)))

    def inspect_relaxation(self) -> ExitCode | None:
        """Continue with the relaxed structure; one that is not quite relaxed is reported, and used."""
        job = self.ctx.relaxation
        if not is_relaxed(job):
            return self._failure("ERROR_RELAXATION_FAILED", outcome(job))
        if job.is_failed:
            self.report(f"continuing with the ions reached: {job.exit_message}")
        self.ctx.structure = job.outputs.structure
        self.out("relaxed_structure", job.outputs.structure)
        self.out("relaxation", job.outputs.relaxation)
        return None

    def run_supercell(self) -> None:
        """Repeat the cell, unless it is given."""
        given = prepared_of(self.inputs).get("supercell")
        settings = supercell_settings(self.ctx.parameters)
        self.ctx.supercell = make_supercell(self.ctx.structure, orm.Dict(settings)) if given is None else given
        self.out("supercell", self.ctx.supercell)

    def queue_runs(self) -> None:
        """Queue a run for each temperature and seed."""
        self.ctx.runs = expand_runs(self.ctx.parameters, int(shared_settings(self.inputs)["n_steps"]))
        self._open_round(1, self.ctx.runs)
        n_atoms = len(self.ctx.supercell.sites)
        self.report(f"{n_atoms} atoms, {len(self.ctx.runs)} runs, {self.ctx.parameters['max_concurrent']} at a time")

    def has_another_round(self) -> bool:
        """Whether runs are queued."""
        return bool(self.ctx.goes_on)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the molecular dynamics of one temperature and seed."""
        return self.submit(
            engine_of(self.inputs), **run_inputs(self.inputs, self.ctx.supercell, run, self.ctx.round_number)
        )

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Record how a run ended; one that failed does not stop the others."""
        result, runs = result_of(node), list(self.ctx.runs)
        index = run_of(runs, run)
        runs[index] = record_result(runs[index], result, run["n_steps"])
        self.ctx.runs, self.ctx.md_pks = runs, [*self.ctx.md_pks, node.pk]
        if result.failure is None:
            return
        self.report(f"{run['temperature_K']:g} K, seed {run['seed']} cannot be used: {result.failure}")
        if not runs[index]["pks"]:
            self._refuse(run["temperature_K"], result.failure)

    def submit_fits(self) -> ExitCode | None:
        """Fit each temperature that has new frames, over all its replicas and all rounds."""
        plans = plan_fits(self.ctx.runs)
        if not plans:
            self._attach_cost()
            return self._failure("ERROR_MD_FAILED", self.ctx.refused[0]["reason"])
        self.ctx.fits = valid_fits(plans, self.ctx.fits)
        self.ctx.to_fit = due_fits(plans, self.ctx.fits)
        shared = self.exposed_inputs(DiffusionCalculation, "diffusion")
        for label, plan in self.ctx.to_fit.items():
            name = fit_name(label, self.ctx.round_number)
            inputs = fit_inputs(self.inputs, shared, plan, name)
            self.to_context(**{name: self.submit(DiffusionCalculation, **inputs)})
        return None

    def inspect_fits(self) -> ExitCode | None:
        """Keep the new fits; where one failed the earlier one stays, if its frames still count."""
        failures = []
        for label, plan in self.ctx.to_fit.items():
            job = self.ctx[fit_name(label, self.ctx.round_number)]
            if "diffusion" in job.outputs:
                self.ctx.fits = self.ctx.fits | {label: plan | {"pk": job.pk}}
                continue
            failures.append(outcome(job))
            self.ctx.fit_errors = self.ctx.fit_errors | {label: outcome(job)}
            if label not in self.ctx.fits:
                self._refuse(plan["temperature_K"], outcome(job))
        if not self.ctx.fits:
            self._attach_cost()
            return self._failure("ERROR_DIFFUSION_FAILED", failures[0])
        self.ctx.fits = dict(sorted(self.ctx.fits.items()))
        return None

    def end_round(self) -> None:
        """Decide which runs continue, and queue them; without a target none does."""
        self.ctx.goes_on = False
        number, n_steps = self.ctx.round_number, total_steps_run(self.ctx.md_pks)
        inputs = decision_inputs(self.inputs, self.ctx.runs, self.ctx.fit_errors, number, n_steps)
        if inputs is None:
            return
        inputs |= diffusion_of(self.ctx.fits)
        decision: Any = decide_extensions(**inputs)
        self.ctx.decisions = [*self.ctx.decisions, decision.pk]
        self.out(f"history.round_{number:02d}", decision)
        self.report(decision["summary"])
        extended = extend_runs(self.ctx.runs, decided_lengths(decision.get_dict(), shared_settings(self.inputs)))
        if extended:
            self._open_round(number + 1, extended)

    def wants_jumps(self) -> bool:
        """Whether jump analyses are asked for."""
        return bool(self.ctx.parameters.get("jumps", False))

    def submit_jumps(self) -> None:
        """Submit the jump analysis of each temperature that was fitted."""
        for label, fit in self.ctx.fits.items():
            inputs = jumps_inputs(self.inputs, self.ctx.supercell, fit["pk"], label)
            self.to_context(**{jumps_name(label): self.submit(JumpsCalculation, **inputs)})

    def inspect_jumps(self) -> None:
        """Attach the analyses; one that failed is reported, and the conductivity is computed all the same."""
        for label in self.ctx.fits:
            job = self.ctx[jumps_name(label)]
            if "jumps" in job.outputs:
                self.out(f"jumps.{label}", job.outputs.jumps)
            else:
                self.report(f"{label} has no jump analysis: {outcome(job)}")

    def conclude(self) -> None:
        """Fit the Arrhenius law on the posteriors: the result is a conductivity, a bound, or neither."""
        nodes: dict[str, Any] = dict(diffusion_of(self.ctx.fits))
        for label, diffusion in nodes.items():
            self.out(f"diffusion.{label}", diffusion)
        self._attach_cost()
        if self.ctx.decisions:
            nodes["convergence"] = orm.load_node(self.ctx.decisions[-1])
        parameters = arrhenius_parameters(self.inputs, self.ctx.refused)
        result: Any = fit_conductivity(parameters=orm.Dict(parameters), **nodes)
        self.out("conductivity", result)
        self.report(result.base.attributes.get("summary"))

    def _open_round(self, number: int, runs: list[Any]) -> None:
        """Queue the runs of a round."""
        self.ctx.round_number, self.ctx.goes_on = number, True
        self.open_window(runs, int(self.ctx.parameters["max_concurrent"]))

    def _refuse(self, temperature_K: float, reason: str) -> None:
        """Record why a run or a fit is not used."""
        self.ctx.refused = [*self.ctx.refused, {"temperature_K": temperature_K, "reason": reason}]

    def _attach_cost(self) -> None:
        """Attach the cost of all molecular dynamics, whether or not it could be used."""
        costs = costs_of(self.ctx.md_pks)
        if costs:
            self.out("cost", sum_costs(**costs))

    def _failure(self, name: str, detail: str) -> ExitCode:
        code: ExitCode = self.exit_codes[name].format(detail=detail)
        return code
