"""``ion.barrier``: the hops of a crystal, their barriers, where their network percolates, and its transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, if_, while_

from aiida_ion.calculations.migration.dft_bands import read_band
from aiida_ion.calculations.migration.functions import (
    correct_barriers,
    formation_energy,
    gather_hops,
    inequivalent_hops,
    percolate_hops,
)
from aiida_ion.calculations.migration.kinetics import KineticsCalculation
from aiida_ion.engine_kinds import engine_class
from aiida_ion.exit_codes import is_usable
from aiida_ion.workchains.barrier.builder import builder_from_protocol
from aiida_ion.workchains.barrier.inputs import define_inputs, parameters_of, validate_inputs
from aiida_ion.workchains.barrier.outputs import define_outputs
from aiida_ion.workchains.barrier.runs import (
    band_inputs,
    batches,
    hops_inputs,
    metadata,
    point_inputs,
    point_runs,
    relaxation_inputs,
)
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain

CONVERGED = "converged"


class BarrierWorkChain(WindowWorkChain):
    """Relax the crystal, compute its inequivalent hops, percolate and simulate their network."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        define_inputs(spec)
        spec.input("fresh", valid_type=bool, non_db=True, default=False, help="Recompute existing results.")
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.setup,
            if_(cls.is_to_relax)(cls.relax),
            cls.find_hops,
            while_(cls.window_is_open)(cls.fill_window),
            cls.collect_hops,
            while_(cls.window_is_open)(cls.fill_window),
            cls.collect_points,
            if_(cls.has_network)(cls.run_kinetics),
            cls.conclude,
        )
        define_outputs(spec)

    @classmethod
    def get_builder_from_protocol(
        cls,
        structure: orm.StructureData,
        engine: str,
        protocol: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        **inputs: Any,
    ) -> Any:
        """Return a builder for a crystal.

        :param structure: the crystal.
        :param engine: entry point of the engine of the potential.
        :param protocol: ``fast``, ``balanced`` or ``stringent``.
        :param overrides: changes to the protocol.
        :param inputs: the engine's own inputs (``code``, ``potential``, ...), ``options`` of its jobs, and ``dft``, a
            mapping with ``entry_point``, the inputs of that engine, ``options`` and ``band_code``.
        :raises ValueError: if the crystal or a setting cannot be used; the message says why.
        """
        return builder_from_protocol(cls, structure, engine, protocol, overrides, **inputs)

    def setup(self) -> None:
        """Start with the crystal as it is."""
        self.ctx.crystal = self.inputs.structure
        self.ctx.jobs, self.ctx.images, self.ctx.points, self.ctx.bands = {}, {}, {}, {}
        self.ctx.failed, self.ctx.networks = [], {}

    def is_to_relax(self) -> bool:
        """Whether the ions of the crystal are relaxed first."""
        return parameters_of(self.inputs).relax_ions

    def relax(self) -> Any:
        """Relax the ions of the crystal."""
        job, given = relaxation_inputs(self.inputs, parameters_of(self.inputs))
        self.to_context(relaxation=self.submit(job, **given))

    def find_hops(self) -> ExitCode | None:
        """Find the hops of the relaxed crystal, and queue their jobs."""
        if "relaxation" in self.ctx:
            job = self.ctx.relaxation
            if not is_usable(job.exit_status) or "structure" not in job.outputs:
                return self.exit_codes.ERROR_RELAXATION_FAILED.format(detail=outcome(job))  # type: ignore[no-any-return]
            self.ctx.crystal = job.outputs.structure
            self.out("relaxed_structure", self.ctx.crystal)
        parameters = parameters_of(self.inputs)
        try:
            hops: Any = inequivalent_hops(self.ctx.crystal, orm.Dict(parameters.search.to_dict()))
        except ValueError as error:
            return self.exit_codes.ERROR_NO_HOPS.format(detail=str(error))  # type: ignore[no-any-return]
        self.ctx.hops = hops
        self.out("hops", hops)
        labels = [hop["label"] for hop in hops["network"]["hops"]]
        runs = [
            {"what": "hops", "labels": batch, "name": f"hops_{number:02d}"}
            for number, batch in enumerate(batches(labels, parameters.hops_per_job), start=1)
        ]
        self.open_window(runs, parameters.max_concurrent)
        return None

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit a job of hops, a single point or a band."""
        parameters = parameters_of(self.inputs)
        if run["what"] == "hops":
            job, given = hops_inputs(self.inputs, parameters, self.ctx.crystal, self.ctx.hops, run)
        elif run["what"] == "point":
            images: Any = orm.load_node(self.ctx.images[run["hop"]])
            job, given = point_inputs(self.inputs, images, run)
        else:
            images = orm.load_node(self.ctx.images[run["hop"]])
            job, given = band_inputs(self.inputs, parameters, images, run["hop"])
        return self.submit(job, **given)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Keep what came out; a job of hops that ran out of time goes on with those that are left."""
        is_lost = not node.is_finished_ok
        if run["what"] == "hops":
            is_lost = self._keep_hops(run, node)
        elif run["what"] == "point" and not is_lost:
            self.ctx.points = self.ctx.points | {f"{run['hop']}_{run['part']}": node.outputs.point.pk}
        elif not is_lost:
            self.ctx.bands = self.ctx.bands | {run["hop"]: node.pk}
        if is_lost:
            self.ctx.failed = [*self.ctx.failed, outcome(node)]

    def _keep_hops(self, run: dict[str, Any], node: Any) -> bool:
        """Keep the hops that a job did, and queue the rest; return whether some will not be computed."""
        done = list(node.outputs.barriers["hops"]) if "barriers" in node.outputs else []
        if done:
            self.ctx.jobs = self.ctx.jobs | {run["name"]: node.outputs.barriers.pk}
        if "images" in node.outputs:
            self.ctx.images = self.ctx.images | {name: image.pk for name, image in node.outputs.images.items()}
        left = [label for label in run["labels"] if label not in done]
        if left and done:  # a job that did nothing is not repeated
            self.ctx.pending = [*self.ctx.pending, {**run, "labels": left, "name": f"{run['name']}_more"}]
        return bool(left and not done)

    def collect_hops(self) -> ExitCode | None:
        """Make one table of all barriers and their network, and queue single points and bands by DFT."""
        if not self.ctx.jobs:
            return self.exit_codes.ERROR_NO_BARRIERS.format(detail="; ".join(self.ctx.failed))  # type: ignore[no-any-return]
        jobs: dict[str, Any] = {name: orm.load_node(pk) for name, pk in self.ctx.jobs.items()}
        engine = engine_class(self.inputs.mlip.entry_point.value)
        about = orm.Dict({"level_of_theory": engine.level_of_theory(self.inputs.mlip.engine)})
        self.ctx.barriers = gather_hops(about, **jobs)
        self.out("barriers", self.ctx.barriers)
        for label, pk in sorted(self.ctx.images.items()):
            self.out(f"images.{label}", orm.load_node(pk))
        self._percolate("network", self.ctx.barriers)
        table = self.ctx.barriers["hops"]
        runs: list[dict[str, Any]] = []
        if "dft" in self.inputs and "entry_point" in self.inputs.dft:
            runs = point_runs(table)
            if "band_code" in self.inputs.dft:
                converged = [label for label, entry in sorted(table.items()) if entry["verdict"] == CONVERGED]
                runs += [{"what": "band", "hop": label} for label in converged]
        self.open_window(runs, parameters_of(self.inputs).max_concurrent)
        return None

    def _percolate(self, name: str, barriers: Any) -> None:
        """Attach the network of barriers, where at least one of them can be used."""
        if any(entry["verdict"] == CONVERGED for entry in barriers["hops"].values()):
            network: Any = percolate_hops(self.ctx.crystal, self.ctx.hops, barriers)
            self.ctx.networks = self.ctx.networks | {name: network.pk}
            self.out(name, network)
            reference = parameters_of(self.inputs).reference_energy_eV_atom
            if name == "network" and reference is not None:
                given = orm.Dict({"energy_eV_atom": reference})
                self.out("formation", formation_energy(self.ctx.crystal, self.ctx.hops, barriers, given))

    def collect_points(self) -> None:
        """Make a table of the barriers by DFT at the geometries of the potential, and of those of DFT bands."""
        if not self.ctx.points:
            return
        engine = engine_class(self.inputs.dft.entry_point.value)
        level = engine.level_of_theory(self.inputs.dft.engine)
        points: dict[str, Any] = {name: orm.load_node(pk) for name, pk in self.ctx.points.items()}
        self.ctx.dft_barriers = correct_barriers(orm.Dict({"level_of_theory": level}), self.ctx.barriers, **points)
        self.out("dft_barriers", self.ctx.dft_barriers)
        self._percolate("dft_network", self.ctx.dft_barriers)
        for label, pk in sorted(self.ctx.bands.items()):
            outputs = engine.bands.outputs(orm.load_node(pk))
            outputs |= {part: points[f"{label}_{part}"] for part in ("start", "end") if f"{label}_{part}" in points}
            try:
                self.out(
                    f"dft_bands.{label}", read_band(orm.Dict({"label": label, "level_of_theory": level}), **outputs)
                )
            except (KeyError, ValueError) as error:
                self.ctx.failed = [*self.ctx.failed, f"band of {label}: {error}"]

    def has_network(self) -> bool:
        """Whether there is a network to simulate."""
        return bool(self.ctx.networks)

    def run_kinetics(self) -> Any:
        """Compute transport on the network of the highest level of theory whose every hop has a barrier."""
        pks = [self.ctx.networks[name] for name in ("dft_network", "network") if name in self.ctx.networks]
        networks: list[Any] = [orm.load_node(pk) for pk in pks]
        network = next((node for node in networks if not node["missing"]), networks[-1])
        settings = parameters_of(self.inputs).transport.to_dict()
        given = {
            "code": self.inputs.mlip.engine["code"],
            "network": network,
            "parameters": orm.Dict(settings),
            "metadata": metadata(self.inputs, "mlip", "kinetics"),
        }
        self.to_context(kinetics=self.submit(KineticsCalculation, **given))

    def conclude(self) -> ExitCode | None:
        """Attach transport, and say what is missing."""
        if not self.ctx.networks:
            verdicts = {label: entry["verdict"] for label, entry in self.ctx.barriers["hops"].items()}
            detail = ", ".join(f"{label}: {verdict}" for label, verdict in sorted(verdicts.items()))
            return self.exit_codes.ERROR_NO_BARRIERS.format(detail=detail)  # type: ignore[no-any-return]
        problems = list(self.ctx.failed)
        if "kinetics" in self.ctx.kinetics.outputs:
            self.out("kinetics", self.ctx.kinetics.outputs.kinetics)
        else:
            problems.append(outcome(self.ctx.kinetics))
        for name in ("barriers", "dft_barriers"):
            table = self.ctx[name]["hops"] if name in self.ctx else {}
            others = [f"{label} {entry['verdict']}" for label, entry in table.items() if entry["verdict"] != CONVERGED]
            problems += [f"{name}: {', '.join(others)}"] if others else []
        if problems:
            return self.exit_codes.WARNING_HOPS_MISSING.format(detail="; ".join(problems))  # type: ignore[no-any-return]
        return None
