"""One synthetic ``ion.conductivity``: its runs, their segments, the fits and what came out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pymatgen.core import Composition

from benchmarks.synthetic.graph import Graph, Ref
from benchmarks.synthetic.levels import Level
from benchmarks.synthetic.numbers import CHARGES, Arrays, Law, Numbers, trajectory_arrays, walk_segment

TEMPERATURES_K = (600.0, 800.0, 1000.0, 1200.0)
EXPLODED = {
    "exit_status": 410,
    "exit_message": "The trajectory exploded: the largest force is 1.2e+03 eV/angstrom at step 1500",
}
STOPPED = {"exit_status": 400, "exit_message": "The run stopped early and can be continued: wall time"}
NO_MD = {
    "exit_status": 502,
    "exit_message": f"No temperature has a trajectory that can be used: {EXPLODED['exit_message']}",
}


@dataclass
class Chain:
    """What is written of one work chain.

    :param fate: ``finished``, ``failed`` (every run exploded) or ``running``.
    :param with_arrays: whether its nodes hold arrays.
    """

    graph: Graph
    numbers: Numbers
    codes: dict[str, int]
    formula: str
    mobile: str
    level: Level
    law: Law
    fate: str = "finished"
    with_arrays: bool = False
    fits: dict[str, Ref] = field(default_factory=dict)
    said: list[tuple[dict[str, Any], Arrays]] = field(default_factory=list)
    costs: list[tuple[Ref, dict[str, Any]]] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    conductivity: Ref = -1

    def write(self, structure: Ref) -> Chain:
        """Write everything from the structure on."""
        graph, code = self.graph, self.codes[self.level.engine]
        self.potential = graph.data("dict", self.level.potential)
        chosen = {"temperatures_K": list(TEMPERATURES_K), "seeds": [1], "mobile_species": self.mobile}
        parameters = graph.data("dict", chosen | {"target_temperature_K": 300.0, "formula": self.formula})
        inputs = {structure: "structure", parameters: "parameters", code: "md__engine__code"}
        inputs |= {self.potential: "md__engine__potential", self.codes["kinisi"]: "diffusion__code"}
        state = {"finished": {}, "failed": NO_MD, "running": {"process_state": "waiting"}}[self.fate]
        process_type, label = "aiida.workflows:ion.conductivity", "ConductivityWorkChain"
        self.chain = graph.process("workchain", process_type, label, inputs, attributes=state)
        graph.chains.append(self.chain)
        inputs, cell = {structure: "structure"}, structure_attributes(self.formula, 2)
        self.supercell = self._function("functions.make_supercell", inputs, "structure", cell)
        for temperature_K in TEMPERATURES_K[: 2 if self.fate == "running" else None]:
            self._temperature(temperature_K, alive=self.fate == "running" and temperature_K == TEMPERATURES_K[1])
        if self.fate != "running":
            graph.link(self.chain, self._sum(self.chain, self.costs), "return", "cost")
        if self.fate == "finished":
            self._conclude()
        return self

    def _conclude(self) -> None:
        graph = self.graph
        self.attributes, arrays = self.numbers.conductivity(self.formula, self.level.name, self.law, self.said)
        inputs = {node: label for label, node in self.fits.items()}
        self.conductivity = self._function(
            "conductivity.fit_conductivity",
            inputs,
            "array",
            self.attributes,
            result=True,
            node_label=f"{self.formula} {self.level.name}",
            arrays=arrays if self.with_arrays else {},
        )
        graph.link(self.chain, self.conductivity, "return", "conductivity")
        for name, node in self.fits.items():
            graph.link(self.chain, node, "return", f"diffusion__{name}")

    def _temperature(self, temperature_K: float, alive: bool) -> None:
        """Write the run at one temperature and its fit."""
        graph, name = self.graph, f"T_{int(temperature_K):04d}K"
        state: dict[str, Any] = {"process_state": "waiting"} if alive else EXPLODED if self.fate == "failed" else {}
        code = self.codes[self.level.engine]
        inputs = {self.supercell: "structure", self.potential: "engine__potential", code: "engine__code"}
        process_type = f"aiida.workflows:{self.level.workchain}"
        run = graph.process(
            "workchain", process_type, "MdWorkChain", inputs, self.chain, f"md_{name}_seed_1", attributes=state
        )
        trajectories = self._segments(run, temperature_K, state)
        if state:
            return
        inputs = {node: f"trajectories__replica_00_segment_{index:03d}" for index, node in enumerate(trajectories)}
        sample = {"formula": self.formula, "level_of_theory": self.level.name, "mobile_species": self.mobile}
        parameters = graph.data("dict", sample | {"target_temperature_K": temperature_K, "charges": CHARGES})
        inputs |= {self.codes["kinisi"]: "code", parameters: "parameters"}
        process_type, computer = "aiida.calculations:ion.diffusion", self.codes["computer localhost"]
        job = graph.process(
            "calcjob", process_type, "DiffusionCalculation", inputs, self.chain, f"fit_{name}", computer=computer
        )
        given = (self.formula, self.mobile, self.level.name, temperature_K, self.law)
        text, arrays = self.numbers.diffusion(*given, arrays=self.with_arrays)
        self.fits[name] = graph.output(job, "array", text, "diffusion", result=True, arrays=arrays)
        self.said.append((text, arrays))

    def _segments(self, run: Ref, temperature_K: float, state: dict[str, Any]) -> list[Ref]:
        """Write the jobs of a run: every fifth was stopped by its wall time and went on in a second."""
        graph, level = self.graph, self.level
        n_segments = 1 if state or self.with_arrays or self.numbers.chance() > 0.2 else 2
        seed = 100_000 + round(10 * temperature_K)
        settings = {"temperature_K": temperature_K, "timestep_fs": 2.0, "ensemble": "nvt", "sample_every": 50}
        parameters = graph.data("dict", settings | {"n_steps": level.n_steps, "seed": seed})
        inputs = {self.supercell: "structure", parameters: "parameters", self.potential: "potential"}
        inputs[self.codes[level.engine]] = "code"
        attributes = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": level.cores}}
        trajectories, costs = [], []
        for number in range(n_segments):
            here = attributes | (state or (STOPPED if number + 1 < n_segments else {}))
            here |= {"state": "withscheduler"} if state.get("process_state") == "waiting" else {}
            job = graph.process(
                "calcjob",
                f"aiida.calculations:{level.job}",
                level.process_label,
                inputs,
                run,
                f"iteration_{number + 1:02d}",
                attributes=here,
                computer=self.codes[f"computer {level.computer}"],
            )
            if state.get("process_state") == "waiting":
                continue
            cost = self.numbers.cost(level, n_segments)
            costs.append((graph.output(job, "dict", cost, "cost"), cost))
            graph.output(job, "dict", level.versions, "versions")
            frames = {"sample_every": 50, "target_temperature_K": temperature_K, "seed": seed, "timestep_fs": 2.0}
            frames |= {"equilibration_fs": 5000.0, "symbols": walk_segment()[1], "pbc": [True, True, True]}
            arrays = trajectory_arrays() if self.with_arrays else {}
            trajectories.append(graph.output(job, "trajectory", frames, "trajectory", arrays=arrays))
            graph.link(run, trajectories[-1], "return", f"trajectories__segment_{number:03d}")
        if costs:
            graph.link(run, self._sum(run, costs), "return", "cost")
            self.costs += costs
        return trajectories

    def _sum(self, caller: Ref, costs: list[tuple[Ref, dict[str, Any]]]) -> Ref:
        ledgers = [cost for _, cost in costs]
        total = {
            name: sum(ledger[name] or 0 for ledger in ledgers) for name in ("wall_time_s", "cpu_time_s", "n_steps")
        }
        total |= {"n_jobs": len(ledgers), "n_atoms": 96, "device": [ledgers[0]["device"]]}
        inputs = {node: f"segment_{index:03d}" for index, (node, _) in enumerate(costs)}
        return self._function("functions.sum_costs", inputs, "dict", total, caller=caller)

    def _function(
        self,
        name: str,
        inputs: dict[Ref, str],
        kind: str,
        attributes: dict[str, Any],
        caller: Ref | None = None,
        **more: Any,
    ) -> Ref:
        called_by = self.chain if caller is None else caller
        label = name.rpartition(".")[2]
        function = self.graph.process("calcfunction", f"aiida.calculations:ion.{label}", label, inputs, called_by)
        return self.graph.output(function, kind, attributes, "result", **more)


def structure_attributes(formula: str, multiples: int = 1) -> dict[str, Any]:
    """Attributes of a cubic cell that holds the formula once, times the multiples along each vector."""
    symbols = [str(element) for element, n in Composition(formula).items() for _ in range(int(n))]
    names = list(dict.fromkeys(symbols))
    kinds = [{"name": name, "symbols": [name], "weights": [1.0], "mass": 1.0} for name in names]
    edge = 2.6 * len(symbols) ** (1 / 3)
    sites = []
    for cell in itertools.product(range(multiples), repeat=3):
        for index, name in enumerate(symbols):
            inside = (0.05 + np.array([0.618, 0.414, 0.732]) * index) % 1.0
            sites.append({"kind_name": name, "position": np.round(edge * (inside + cell), 4).tolist()})
    cell_A = (np.eye(3) * edge * multiples).tolist()
    return {"pbc1": True, "pbc2": True, "pbc3": True, "cell": cell_A, "kinds": kinds, "sites": sites}
