"""``ion.screening``: materials pass through stages, from cheap to dear; each stage decides which go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_

from aiida_ion.calculations.screening.decide import decide_stage
from aiida_ion.messages import one_line
from aiida_ion.screening.decisions import ERROR
from aiida_ion.screening.plan import Stage
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.screening import methods
from aiida_ion.workchains.screening.candidates import core_seconds, ranked
from aiida_ion.workchains.screening.inputs import stage_of, validate_materials, validate_stages
from aiida_ion.workchains.window import WindowWorkChain

#: Materials that one calculation function decides on: AiiDA compares its inputs with each other.
DECIDED_AT_ONCE = 16
SECONDS_PER_HOUR = 3600.0


class ScreeningWorkChain(WindowWorkChain):
    """Stage after stage: find what is known, compute the rest, decide, go on with what passed or is unsure.

    Decisions are nodes made from results by the cut of the stage, so that another cut makes other decisions of the
    same results; what was computed for a crystal before, in whatever screening, is not computed again.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input(
            "materials",
            valid_type=orm.List,
            validator=validate_materials,
            help="The materials, each with `label`, `name`, `uuid` of the crystal, and `structure_hash`.",
        )
        spec.input(
            "stages",
            valid_type=orm.List,
            validator=validate_stages,
            help="The stages, in order, each with `name`, `method`, `cut`, `budget`, and the inputs of its `process`.",
        )
        spec.input("max_concurrent", valid_type=orm.Int, default=lambda: orm.Int(4), help="Processes in parallel.")
        spec.input(
            "batch_size", valid_type=orm.Int, default=lambda: orm.Int(200), help="Materials in one job, at most 500."
        )
        spec.outline(
            cls.start,
            while_(cls.has_stage)(cls.queue_stage, while_(cls.window_is_open)(cls.fill_window), cls.decide),
            cls.conclude,
        )
        spec.output_namespace(
            "decisions",
            valid_type=orm.Dict,
            dynamic=True,
            help="The decisions of each stage, in parts: `<stage>_<number>`.",
        )
        spec.output(
            "summary",
            valid_type=orm.Dict,
            help="For each stage the number of materials with each verdict, those that the budget did not reach, and "
            "its core hours; `survivors`, the uuids of the crystals that went through.",
        )
        spec.exit_code(508, "ERROR_NO_DECISION", message="Not one material could be judged: {detail}")

    def start(self) -> None:
        """Begin with all materials at the first stage."""
        self.ctx.stage = 0
        self.ctx.materials = {entry["label"]: entry for entry in self.inputs.materials.get_list()}
        self.ctx.survivors = list(self.ctx.materials)
        self.ctx.ranks, self.ctx.stages = {}, []

    def has_stage(self) -> bool:
        """Whether a stage is left, and a material for it."""
        return self.ctx.stage < len(self.inputs.stages.get_list()) and bool(self.ctx.survivors)

    def queue_stage(self) -> None:
        """Take the materials that the budget allows, find what is known of them, and queue the rest."""
        stage = self._stage
        most = stage.budget.max_materials
        self.ctx.chosen = ranked(self.ctx.survivors, self.ctx.ranks)[:most]
        chosen = [self.ctx.materials[label] for label in self.ctx.chosen]
        self.ctx.results, self.ctx.reasons, self.ctx.core_s = methods.known_results(self._entry, chosen), {}, 0.0
        left = [material for material in chosen if material["label"] not in self.ctx.results]
        self.report(
            f"stage {stage.name}: {len(chosen)} materials, {len(self.ctx.results)} known, {len(left)} to compute"
        )
        runs = methods.batches(self._entry, left, self.inputs.batch_size.value)
        self.open_window([{"labels": labels} for labels in runs], self.inputs.max_concurrent.value)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the process of some materials, unless the budget is spent or its result exists."""
        hours = self._stage.budget.max_core_hours
        if hours is not None and self.ctx.core_s > hours * SECONDS_PER_HOUR:
            return None  # without result or reason: not reached
        materials = [self.ctx.materials[label] for label in run["labels"]]
        try:
            process, inputs = methods.submission(self._entry, materials)
            existing = methods.finished_before(self._entry, inputs)
            if existing is not None:
                self._keep(run["labels"], orm.load_node(existing))
                return None
            label = f"{self._stage.name}_{run['labels'][0]}"
            inputs["metadata"] = {**inputs.get("metadata", {}), "call_link_label": label}
            return self.submit(process, **inputs)
        except Exception as error:  # one material that cannot be computed does not stop the others
            self._fail(run["labels"], one_line(error))
            return None

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Keep the results of a process that has ended."""
        missing = self._keep(run["labels"], node)
        self.ctx.core_s = self.ctx.core_s + core_seconds(node)
        if node.exit_status != 0:
            self.report(f"stage {self._stage.name}: {outcome(node)}")
        again = methods.repeats(self._entry, run["labels"], missing, node)
        self.ctx.pending = [*self.ctx.pending, *({"labels": labels} for labels in again)]

    def decide(self) -> None:
        """Decide on the materials that have a result, or a reason why they have none."""
        judged = [label for label in self.ctx.chosen if label in self.ctx.results or label in self.ctx.reasons]
        stage = orm.Dict(self._stage.to_dict()).store()
        decisions: list[dict[str, Any]] = []
        for part, first in enumerate(range(0, len(judged), DECIDED_AT_ONCE)):
            node = self._decided(stage, judged[first : first + DECIDED_AT_ONCE], part)
            decisions += node.base.attributes.get("decisions")
        goes_on = [decision["label"] for decision in decisions if decision["goes_on"]]
        counts = {
            verdict: sum(d["verdict"] == verdict for d in decisions) for verdict in ("pass", "unsure", "fail", "error")
        }
        about = {
            "stage": self._stage.name,
            "method": self._stage.method,
            "n_materials": len(self.ctx.survivors),
            "n_not_reached": len(self.ctx.survivors) - len(judged),
            "core_hours": self.ctx.core_s / SECONDS_PER_HOUR,
            "first_error": next((d["reason"] for d in decisions if d["verdict"] == ERROR), None),
        }
        self.ctx.stages = [*self.ctx.stages, about | counts]
        self.ctx.ranks = _order(decisions, self._stage, goes_on)
        self.ctx.survivors = goes_on
        self.ctx.stage = self.ctx.stage + 1
        words = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
        self.report(f"stage {about['stage']}: {words}, {about['n_not_reached']} not reached")

    def conclude(self) -> ExitCode | None:
        """State what became of the materials at each stage."""
        survivors = [self.ctx.materials[label]["uuid"] for label in self.ctx.survivors]
        # An account of the decisions and no data of theirs: nothing computes it from them.
        self.out("summary", orm.Dict({"stages": self.ctx.stages, "survivors": survivors}).store())
        judged = [stage for stage in self.ctx.stages if stage["pass"] + stage["unsure"] + stage["fail"] > 0]
        if judged:
            return None
        reason = next(
            (stage["first_error"] for stage in self.ctx.stages if stage["first_error"]), "the budget is too small"
        )
        return self.exit_codes.ERROR_NO_DECISION.format(detail=reason)  # type: ignore[no-any-return]

    @property
    def _entry(self) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = self.inputs.stages.get_list()[self.ctx.stage]
        return entry

    @property
    def _stage(self) -> Stage:
        return stage_of(self._entry)

    def _decided(self, stage: orm.Dict, labels: list[str], part: int) -> Any:
        """Return the decisions on some materials, and attach them."""
        reasons = self.ctx.reasons
        materials = [self.ctx.materials[label] | {"reason": reasons.get(label)} for label in labels]
        results = {label: orm.load_node(uuid=self.ctx.results[label]) for label in labels if label in self.ctx.results}
        name = f"{self._stage.name}_{part:04d}"
        inputs: dict[str, Any] = {"stage": stage, "materials": orm.List(materials), **results}
        inputs["metadata"] = {"call_link_label": f"decide_{name}"}
        node: Any = decide_stage(**inputs)
        self.out(f"decisions.{name}", node)
        return node

    def _keep(self, labels: list[str], node: Any) -> list[str]:
        """Keep the results of a process, and return the labels of materials without one."""
        results, reasons = methods.results_of(self._entry, labels, node)
        self.ctx.results = self.ctx.results | results
        self.ctx.reasons = {label: why for label, why in self.ctx.reasons.items() if label not in results} | reasons
        return list(reasons)

    def _fail(self, labels: list[str], reason: str) -> None:
        self.ctx.reasons = self.ctx.reasons | dict.fromkeys(labels, reason)


def _order(decisions: list[dict[str, Any]], stage: Stage, labels: list[str]) -> dict[str, float]:
    """Return what ranks materials for the next stage, lowest first: the quantity of this one, in its direction."""
    sign = -1.0 if stage.is_better(1.0, 0.0) else 1.0
    chosen = set(labels)
    return {d["label"]: sign * d["value"] for d in decisions if d["label"] in chosen and d["value"] is not None}
