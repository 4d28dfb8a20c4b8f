"""``ion.batch_conductivity``: many crystals, one potential: their runs in batches, then a conductivity of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, while_

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.calculations.functions import make_supercell
from aiida_ion.calculations.mlip.batch_md import validate_atoms_at_once
from aiida_ion.workchains.batch_conductivity.inputs import batch_inputs, conductivity_inputs, validate_materials
from aiida_ion.workchains.conductivity.relaxation import is_relaxed, relaxation_builder, supercell_settings
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.queue.workchain import validate_max_concurrent
from aiida_ion.workchains.replicas.workchain import ReplicasWorkChain
from aiida_ion.workchains.window import WindowWorkChain


class BatchConductivityWorkChain(WindowWorkChain):
    """Relax all crystals, run all temperatures and seeds of all of them in batches, and end with an `ion.conductivity`
    of each, which begins with its runs: results, tables and checks are those of that work chain.

    Rounds that `target_relative_error` asks for beyond the first are run one by one.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input_namespace(
            "materials",
            dynamic=True,
            help="Label, then the inputs of an `ion.conductivity`; engine and options are the same for all.",
        )
        spec.input(
            "max_concurrent",
            valid_type=orm.Int,
            default=lambda: orm.Int(4),
            validator=validate_max_concurrent,
            help="Relaxations, and later conductivities, in parallel.",
        )
        spec.input(
            "atoms_at_once",
            valid_type=int,
            non_db=True,
            required=False,
            validator=validate_atoms_at_once,
            help="Most atoms that are under way together in a job of the batch.",
        )
        spec.input(
            "fresh", valid_type=bool, non_db=True, default=False, help="Recompute results that are there already."
        )
        spec.inputs.validator = validate_materials
        spec.outline(
            cls.queue_relaxations,
            while_(cls.window_is_open)(cls.fill_window),
            cls.run_batch,
            cls.queue_conductivities,
            while_(cls.window_is_open)(cls.fill_window),
            cls.conclude,
        )
        spec.output_namespace(
            "conductivity",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="The `conductivity` of each material, by its label: intervals as attributes, posterior samples as "
            "arrays.",
        )
        spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of the batches: s, MiB, steps per s.")
        spec.exit_code(502, "ERROR_MD_FAILED", message="The batch left no trajectory: {detail}")
        spec.exit_code(505, "ERROR_NO_CONDUCTIVITY", message="Not one conductivity could be computed: {detail}")
        spec.exit_code(710, "WARNING_INCOMPLETE", message="Some materials failed; the others are complete: {detail}")

    @classmethod
    def builder_of(cls, builders: Mapping[str, Any], max_concurrent: int = 4, atoms_at_once: int | None = None) -> Any:
        """Return a builder.

        :param builders: label -> the builder of an `ion.conductivity`, as `aiida_ion.campaigns` makes it.
        :param max_concurrent: relaxations, and later conductivities, in parallel.
        :param atoms_at_once: most atoms that are under way together in a job.
        """
        builder = cls.get_builder()
        builder.materials = {label: builder_inputs(one) for label, one in builders.items()}
        builder.max_concurrent = orm.Int(max_concurrent)
        if atoms_at_once is not None:
            builder.atoms_at_once = atoms_at_once
        return builder

    def queue_relaxations(self) -> None:
        """Queue the relaxation of each crystal that is to be relaxed."""
        self.ctx.relaxed, self.ctx.conductivities, self.ctx.failed = {}, {}, {}
        relaxing = [label for label, one in self.inputs.materials.items() if one["parameters"].get_dict()["relax_ions"]]
        self._open("relax", relaxing)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the relaxation or the conductivity of a material."""
        label, material = run["label"], self.inputs.materials[run["label"]]
        fresh = bool(self.inputs.fresh)
        if run["what"] == "relax":
            builder = relaxation_builder({**material, "fresh": fresh})
            builder.metadata.call_link_label = f"relax_{label}"
            return self.submit(builder)
        inputs = conductivity_inputs(material, label, self._made(label), self.ctx.batch, fresh)
        inputs["metadata"] = {**inputs.get("metadata", {}), "call_link_label": f"conductivity_{label}"}
        return self.submit(ConductivityWorkChain, **inputs)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Record what a material has; one that failed does not stop the others."""
        if run["what"] == "relax":
            if is_relaxed(node):
                self.ctx.relaxed = self.ctx.relaxed | {run["label"]: node.pk}
                return
        elif "conductivity" in node.outputs:
            self.ctx.conductivities = self.ctx.conductivities | {run["label"]: node.pk}
            return
        self._fail(run["label"], outcome(node))

    def run_batch(self) -> Any:
        """Make the supercells, and run all of their temperatures and seeds."""
        supercells: dict[str, Any] = {}
        for label, material in self.inputs.materials.items():
            if label in self.ctx.failed:
                continue
            cell = material["structure"]
            if label in self.ctx.relaxed:
                cell = orm.load_node(self.ctx.relaxed[label]).outputs.structure
            supercells[label] = make_supercell(cell, orm.Dict(supercell_settings(material["parameters"].get_dict())))
        if not supercells:
            return self._failure("ERROR_NO_CONDUCTIVITY", next(iter(self.ctx.failed.values())))
        self.ctx.supercells = {label: node.pk for label, node in supercells.items()}
        inputs = batch_inputs(self.inputs.materials, supercells)
        inputs |= {"fresh": bool(self.inputs.fresh), "clean_workdir": self.inputs.clean_workdir}
        if "atoms_at_once" in self.inputs:
            inputs["atoms_at_once"] = self.inputs.atoms_at_once
        n_atoms = sum(len(node.sites) for node in supercells.values())
        self.report(f"{len(supercells)} crystals, {n_atoms} atoms, {len(inputs['replicas'].get_dict())} runs")
        inputs["metadata"] = {"call_link_label": "batch"}
        return ToContext(batch=self.submit(ReplicasWorkChain, **inputs))

    def queue_conductivities(self) -> ExitCode | None:
        """Queue the conductivity of each material that was run."""
        batch = self.ctx.batch
        if "cost" in batch.outputs:
            self.out("cost", batch.outputs.cost)
        if "trajectories" not in batch.outputs:
            return self._failure("ERROR_MD_FAILED", outcome(batch))
        self._open("conductivity", list(self.ctx.supercells))
        return None

    def conclude(self) -> ExitCode | None:
        """Attach the conductivities, and say which are missing."""
        for label, pk in sorted(self.ctx.conductivities.items()):
            node: Any = orm.load_node(pk)
            self.out(f"conductivity.{label}", node.outputs.conductivity)
        if not self.ctx.failed:
            return None
        label, reason = next(iter(self.ctx.failed.items()))
        detail = f"{len(self.ctx.failed)} of {len(self.inputs.materials)}, the first, {label}: {reason}"
        name = "WARNING_INCOMPLETE" if self.ctx.conductivities else "ERROR_NO_CONDUCTIVITY"
        return self._failure(name, detail)

    def _made(self, label: str) -> dict[str, Any]:
        """Return what was computed for a material before its runs."""
        made: dict[str, Any] = {"supercell": orm.load_node(self.ctx.supercells[label])}
        if label in self.ctx.relaxed:
            outputs: Any = orm.load_node(self.ctx.relaxed[label]).outputs
            made |= {"relaxed_structure": outputs.structure, "relaxation": outputs.relaxation}
        return made

    def _open(self, what: str, labels: list[str]) -> None:
        self.open_window([{"what": what, "label": label} for label in labels], self.inputs.max_concurrent.value)

    def _fail(self, label: str, reason: str) -> None:
        self.ctx.failed = self.ctx.failed | {label: reason}
        self.report(f"{label} has no conductivity: {reason}")

    def _failure(self, name: str, detail: str) -> ExitCode:
        code: ExitCode = self.exit_codes[name].format(detail=detail)
        return code
