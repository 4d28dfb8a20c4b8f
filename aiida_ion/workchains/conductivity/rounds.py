"""Rounds of ``ion.conductivity``: run, fit, decide; the next round continues exactly what the decision names."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import ExitCode
from aiida.plugins import WorkflowFactory

from aiida_ion.calculations.convergence import decide_extensions
from aiida_ion.calculations.diffusion import DiffusionCalculation
from aiida_ion.calculations.functions import sum_costs
from aiida_ion.settings.md import MdSettings
from aiida_ion.workchains.conductivity.inputs import engine_inputs, fit_inputs, md_inputs, stop_rule
from aiida_ion.workchains.conductivity.runs import (
    expand_runs,
    is_same_run,
    outcome,
    record_result,
    round_suffix,
    summarise_runs,
    temperature_label,
    total_steps,
    usable,
)
from aiida_ion.workchains.window import WindowWorkChain


class RoundsWorkChain(WindowWorkChain):
    """The molecular dynamics of a conductivity: one round without a target, as many as it takes with one.

    What a later round needs stands in the context as plain data, so that it survives a stop of the daemon: `runs`
    (:data:`~aiida_ion.workchains.conductivity.runs.Run`), `fits` (label -> pk of the newest good fit and the runs it
    has), `decisions` (pks) and `refused` (what the conductivity has to say on runs that it does not use).
    """

    def queue_runs(self) -> None:
        """Expand temperatures and seeds into runs."""
        parameters = self.ctx.parameters
        self.ctx.number, self.ctx.goes_on = 1, True
        self.ctx.runs = expand_runs(parameters, int(self._md["n_steps"]))
        self.ctx.fits, self.ctx.fit_errors = {}, {}
        self.ctx.decisions, self.ctx.md_pks = [], []
        self.open_window(self.ctx.runs, int(parameters["max_concurrent"]))
        n_atoms = len(self.ctx.supercell.sites)
        self.report(f"{n_atoms} atoms, {len(self.ctx.runs)} runs, {parameters['max_concurrent']} at a time")

    def has_another_round(self) -> bool:
        """Whether runs are queued."""
        return bool(self.ctx.goes_on)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the molecular dynamics of one temperature and seed: its start, or what continues it exactly."""
        inputs = md_inputs(self.inputs, self.ctx.supercell, run["temperature_K"], run["seed"], run["n_steps"])
        if run["pks"]:
            inputs["restart_from"] = orm.load_node(run["pks"][-1]).outputs.state
        if not self.inputs.clean_workdir:
            inputs["clean_workdir"] = orm.Bool(False)
        name = f"md_{temperature_label(run['temperature_K'])}_seed_{run['seed']}"
        inputs["metadata"] = {"call_link_label": f"{name}{round_suffix(self.ctx.number)}"}
        return self.submit(self._engine, **inputs)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Note how a run ended; the others go on whatever it was."""
        reason = None if node.is_finished_ok else outcome(node)
        self.ctx.runs = [
            record_result(known, node, reason, run["n_steps"]) if is_same_run(known, run) else known
            for known in self.ctx.runs
        ]
        self.ctx.md_pks = [*self.ctx.md_pks, node.pk]
        if reason is None:
            return
        self.report(f"{run['temperature_K']:g} K, seed {run['seed']} cannot be used: {reason}")
        if not next(known["pks"] for known in self.ctx.runs if is_same_run(known, run)):
            self.ctx.refused[str(node.pk)] = {"temperature_K": run["temperature_K"], "reason": reason}

    def submit_fits(self) -> ExitCode | None:
        """Fit each temperature that has new frames over all its replicas and all rounds."""
        replicas = usable(self.ctx.runs)
        if not replicas:
            self.attach_cost()
            detail = next(iter(self.ctx.refused.values()))["reason"]
            return self.exit_codes.ERROR_MD_FAILED.format(detail=detail)  # type: ignore[no-any-return]
        labels = {temperature_label(temperature): pks for temperature, pks in replicas.items()}
        self.ctx.fits = {label: fit for label, fit in self.ctx.fits.items() if label in labels}
        self.ctx.to_fit = {}
        for temperature, pks in replicas.items():
            label = temperature_label(temperature)
            if self.ctx.fits.get(label, {}).get("runs") == pks:
                continue
            self.ctx.to_fit[label] = {"temperature_K": temperature, "runs": pks}
            name = f"fit_{label}{round_suffix(self.ctx.number)}"
            self.to_context(**{name: self.submit(DiffusionCalculation, **self._fit_inputs(temperature, pks, name))})
        return None

    def inspect_fits(self) -> ExitCode | None:
        """Keep the new fits; where one failed the earlier one stays, if its frames still count."""
        failed = []
        for label, entry in self.ctx.to_fit.items():
            job = self.ctx[f"fit_{label}{round_suffix(self.ctx.number)}"]
            if "diffusion" in job.outputs:
                self.ctx.fits = self.ctx.fits | {label: {"pk": job.pk, "runs": entry["runs"]}}
                continue
            failed.append(outcome(job))
            self.ctx.fit_errors = self.ctx.fit_errors | {label: outcome(job)}
            if label not in self.ctx.fits:
                self.ctx.refused[str(job.pk)] = {"temperature_K": entry["temperature_K"], "reason": outcome(job)}
        if not self.ctx.fits:
            self.attach_cost()
            return self.exit_codes.ERROR_DIFFUSION_FAILED.format(detail=failed[0])  # type: ignore[no-any-return]
        self.ctx.fits = dict(sorted(self.ctx.fits.items()))
        return None

    def end_round(self) -> None:
        """Decide what continues, and queue it; without a target nothing does."""
        rule = stop_rule(self.inputs)
        self.ctx.goes_on = False
        if rule is None:
            return
        timestep_fs = float(self._md["timestep_fs"])
        settings = {
            "round": self.ctx.number,
            "n_steps": self._steps_so_far(),
            "temperatures": summarise_runs(self.ctx.runs, timestep_fs, self.ctx.fit_errors),
        }
        fits = {label: orm.load_node(fit["pk"]).outputs.diffusion for label, fit in self.ctx.fits.items()}
        inputs: dict[str, Any] = {"parameters": orm.Dict(rule | settings), **fits}
        inputs["metadata"] = {"call_link_label": f"decide{round_suffix(self.ctx.number)}"}
        decision: Any = decide_extensions(**inputs)
        self.ctx.decisions = [*self.ctx.decisions, decision.pk]
        self.out(f"history.round_{self.ctx.number:02d}", decision)
        self.report(decision["summary"])
        longer = {
            entry["temperature_K"]: total_steps(entry["next_time_ps"], timestep_fs, int(self._md["sample_every"]))
            for entry in decision["temperatures"]
            if entry["next_time_ps"] is not None
        }
        self._queue_extensions(longer)

    def _queue_extensions(self, n_steps: dict[float, int]) -> None:
        """Open the window of the next round.

        :param n_steps: temperature, K -> the length of its runs in all.
        """
        extended = [
            run | {"n_steps": n_steps[run["temperature_K"]]}
            for run in self.ctx.runs
            if run["temperature_K"] in n_steps and run["ended"] is None
        ]
        self.ctx.goes_on = bool(extended)
        if extended:
            self.ctx.number += 1
            self.open_window(extended, int(self.ctx.parameters["max_concurrent"]))

    def attach_cost(self) -> None:
        """Attach the cost of all molecular dynamics, whether or not it could be used."""
        nodes = [orm.load_node(pk) for pk in sorted(self.ctx.md_pks)]
        costs = {f"run_{index:03d}": node.outputs.cost for index, node in enumerate(nodes) if "cost" in node.outputs}
        if costs:
            self.out("cost", sum_costs(**costs))

    def _steps_so_far(self) -> int:
        costs = [node.outputs.cost for node in map(orm.load_node, self.ctx.md_pks) if "cost" in node.outputs]
        return sum(int(cost.get_dict().get("n_steps") or 0) for cost in costs)

    def _fit_inputs(self, temperature_K: float, pks: list[list[int]], name: str) -> dict[str, Any]:
        replicas = [[orm.load_node(pk) for pk in rounds] for rounds in pks]
        inputs: dict[str, Any] = self.exposed_inputs(DiffusionCalculation, "diffusion")
        inputs |= fit_inputs(self.inputs, temperature_K, replicas, self._level_of_theory())
        inputs["metadata"] = dict(inputs.get("metadata", {})) | {"call_link_label": name}
        if self.inputs.fresh:
            inputs["metadata"]["disable_cache"] = True
        return inputs

    @property
    def _md(self) -> dict[str, Any]:
        """MD settings that all runs share, with the default of what is not given."""
        settings: dict[str, Any] = {"sample_every": MdSettings.sample_every} | self.inputs.md.parameters.get_dict()
        return settings

    @property
    def _engine(self) -> Any:
        return WorkflowFactory(self.inputs.md.entry_point.value)

    def _level_of_theory(self) -> str:
        level: str = self._engine.level_of_theory(engine_inputs(self.inputs))
        return level
