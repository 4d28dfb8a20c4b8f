"""Synthetic screenings: crystals, decisions by the real rules, results and measurements, as the real processes do.

python benchmarks/synthetic/screening.py --profile scratch
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from aiida import load_profile, orm
from aiida.common.links import LinkType
from pymatgen.core.composition import Composition

from aiida_ion.screening.decisions import Reading, decide
from aiida_ion.screening.plan import Cut

#: Formula and measured conductivity (mS/cm), negative for an upper bound, nothing where it was not measured. Invented.
MATERIALS: tuple[tuple[str, float | None], ...] = (
    *(("Li6PS5Cl", 2.0), ("Li7P3S11", 10.0), ("Li10GeP2S12", 12.0), ("Li3N", 0.6), ("Li3PS4", 0.2), ("Li3YCl6", 0.5)),
    *(("Li3InCl6", 1.5), ("Li7La3Zr2O12", 0.3), ("Li4GeS4", 2e-4), ("Li2S", 1e-5), ("LiF", 1e-7), ("Li3PO4", 1e-6)),
    *(("Li2O", -1e-6), ("Li4P2O7", -1e-7), ("LiAlO2", 1e-8), ("Li2ZrO3", 1e-6), ("LiCl", 1e-5), ("Li4SiO4", 1e-5)),
    *(("LiI", 1e-3), ("LiBr", None), ("Li2TiO3", None), ("LiNbO3", None), ("Li5AlO4", None), ("Li3BO3", None)),
)
STAGES = ("gate", "bvse", "pes")
CUTS = {
    "gate": {"quantity": None},
    "bvse": {"quantity": "barrier_1d_eV", "maximum": 1.0},
    "pes": {"quantity": "barrier_1d_eV", "maximum": 0.4},
}
#: Most materials of the last stage.
BUDGET = 12


def store_crystal(formula: str, text: str = "") -> orm.StructureData:
    """Store a crystal of the right composition; its positions mean nothing."""
    composition = Composition(formula)
    symbols = [element.symbol for element, number in composition.items() for _ in range(int(number))]
    side = (18.0 * len(symbols)) ** (1 / 3)
    node = orm.StructureData(cell=(np.eye(3) * side).tolist())
    places = np.linspace(0.0, 1.0, len(symbols), endpoint=False)
    for place, symbol in zip(places, symbols, strict=True):
        node.append_atom(position=(place * side, (7 * place % 1) * side, (3 * place % 1) * side), symbols=symbol)
    node.label = f"{text}{formula}"
    node.store()
    node.base.extras.set("aiida_ion_structure_hash_1", f"hash of {formula}")
    return node


def store_measurement(crystal: orm.StructureData, formula: str, value_mS_cm: float) -> None:
    """Store a measurement of a crystal; a negative one is an upper bound."""
    maker = _process(orm.CalcFunctionNode, "aiida.calculations:ion.link_experiment")
    maker.base.links.add_incoming(crystal, LinkType.INPUT_CALC, "structure")
    maker.store()
    name = "ionic_conductivity_mS_cm" if value_mS_cm > 0 else "ionic_conductivity_upper_bound_mS_cm"
    entry = {"formula": formula, "dataset": "invented", "entry_id": formula, "temperature_K": 298.0}
    _output(maker, orm.Dict(entry | {name: abs(value_mS_cm)}), "result")
    maker.seal()


def store_screening(
    seed: int = 1, text: str = "", running: bool = False, n_materials: int | None = None, measured: bool = True
) -> Any:
    """Store a screening of three stages; return its work chain.

    :param text: in front of every text that a page shows.
    :param running: whether it is still in its second stage, with a job that has ended and one that has not.
    :param n_materials: how many of `MATERIALS`, by default all.
    """
    draw = np.random.default_rng(seed)
    chosen = MATERIALS[:n_materials]
    crystals = [store_crystal(formula, text) for formula, _ in chosen]
    for crystal, (formula, value) in zip(crystals, chosen, strict=True):
        if measured and value is not None:
            store_measurement(crystal, formula, value)
    materials = [
        {
            "label": f"m_{i:05d}",
            "name": f"{text}{formula}",
            "uuid": crystal.uuid,
            "structure_hash": f"hash of {formula}",
        }
        for i, (crystal, (formula, _)) in enumerate(zip(crystals, chosen, strict=True))
    ]
    budget = {"max_materials": BUDGET}
    entries: list[dict[str, Any]] = [
        {"name": name, "method": name, "cut": CUTS[name], "budget": budget if name == "pes" else {}} for name in STAGES
    ]
    entries[0]["settings"] = {"mobile_species": "Li"}
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.screening", label=f"{text}lithium conductors")
    chain.set_process_label("ScreeningWorkChain")
    for label, node in (("materials", orm.List(materials)), ("stages", orm.List(entries))):
        chain.base.links.add_incoming(node.store(), LinkType.INPUT_WORK, label)
    chain.set_process_state("waiting" if running else "finished")
    if not running:
        chain.set_exit_status(0)
    chain.store()
    values = {material["label"]: value for material, (_, value) in zip(materials, chosen, strict=True)}
    _stages(chain, materials, values, draw, text, running)
    if not running:
        chain.seal()
    return chain


def _stages(
    chain: Any, materials: list[Any], values: dict[str, float | None], draw: Any, text: str, running: bool
) -> None:
    summary, alive, best = [], materials, {material["label"]: 0.0 for material in materials}
    for name in STAGES[: 1 if running else None]:
        n_before = len(alive)
        if name == "pes":
            alive = sorted(alive, key=lambda material: best[material["label"]])[:BUDGET]
        results = {} if name == "gate" else _job(chain, name, alive, values, draw, text)
        decisions = [_decision(name, material, results.get(material["label"]), text) for material in alive]
        best = {one["label"]: one["value"] or 0.0 for one in decisions}
        node = _decide(chain, name, decisions, alive, results)
        counts = {verdict: sum(one["verdict"] == verdict for one in decisions) for verdict in ("pass", "unsure")}
        counts |= {verdict: sum(one["verdict"] == verdict for one in decisions) for verdict in ("fail", "error")}
        about = {"stage": name, "method": name, "n_materials": n_before, "core_hours": 0.02 * len(results)}
        summary.append(about | {"n_not_reached": n_before - len(alive), "first_error": None} | counts)
        going = {one["label"] for one in node.base.attributes.get("decisions") if one["goes_on"]}
        alive = [material for material in alive if material["label"] in going]
    if running:
        half = len(alive) // 2
        _job(chain, "bvse", alive[:half], values, draw, text)
        _job(chain, "bvse", alive[half:], values, draw, text, active=True)
        return
    about = {"stages": summary, "survivors": [material["uuid"] for material in alive]}
    node = orm.Dict(about).store()
    node.base.links.add_incoming(chain, LinkType.RETURN, "summary")


def _job(
    chain: Any,
    name: str,
    materials: list[Any],
    values: dict[str, float | None],
    draw: Any,
    text: str,
    active: bool = False,
) -> dict[str, Any]:
    """Store a job of many materials; return the result of each."""
    job = orm.CalcJobNode(process_type=f"aiida.calculations:ion.{name}", computer=_computer())
    job.set_process_label(f"{name.title()}Calculation")
    job.base.links.add_incoming(chain, LinkType.CALL_CALC, f"{name}_{materials[0]['label']}")
    for material in materials:
        crystal = orm.load_node(uuid=material["uuid"])
        job.base.links.add_incoming(crystal, LinkType.INPUT_CALC, f"structures__{material['label']}")
    job.set_process_state("waiting" if active else "finished")
    if not active:
        job.set_exit_status(0)
    job.store()
    results: dict[str, Any] = {}
    if not active:
        for place, material in enumerate(materials):
            conductivity = abs(values[material["label"]] or 1e-3)
            barrier = float(np.clip(0.45 - 0.08 * np.log10(conductivity) + draw.normal(0, 0.08), 0.05, 3.0))
            result = orm.Dict(_result(name, barrier, material, text, failed=place % 11 == 10))
            results[material["label"]] = _output(job, result, f"results__{material['label']}")
        _output(job, orm.Dict({"cpu_time_s": 72.0 * len(materials), "wall_time_s": 80.0}), "cost")
        job.seal()
    return results


def _result(name: str, barrier: float, material: Any, text: str, failed: bool) -> dict[str, Any]:
    about = {
        "method": name,
        "mobile_species": "Li",
        "structure_hash": material["structure_hash"],
        "method_hash": "0" * 64,
    }
    about |= {"cost": {"cpu_s": 72.0, "wall_s": 80.0}, "zero": "lowest point of the map"}
    if failed:
        return about | {"status": "refused", "message": f"{text}its charges cannot be assigned", "barriers_eV": None}
    edges = [[barrier - 0.05, barrier + 0.05], [barrier - 0.04, barrier + 0.06], None]
    numbers = {"barriers_eV": [barrier, barrier + 0.01, None], "barriers_interval_eV": edges}
    return about | {"status": "finished", "message": "", "descriptors": {"Xi": 0.5 - barrier / 4}} | numbers


def _decision(name: str, material: Any, result: Any, text: str) -> dict[str, Any]:
    about = {key: material[key] for key in ("label", "name", "uuid", "structure_hash")}
    if result is None:
        reading = Reading(reason="" if name == "gate" else f"{text}there is no result", failed=name != "gate")
        return about | {"result_uuid": None} | decide(reading, Cut(**CUTS[name])).to_dict()
    attributes = result.base.attributes.all
    if attributes["status"] != "finished":
        reading = Reading(reason=attributes["message"], failed=True, core_s=72.0)
    else:
        value, (low, high) = attributes["barriers_eV"][0], attributes["barriers_interval_eV"][0]
        reading = Reading(value, low, high, core_s=72.0)
    return about | {"result_uuid": result.uuid} | decide(reading, Cut(**CUTS[name])).to_dict()


def _decide(chain: Any, name: str, decisions: list[Any], materials: list[Any], results: dict[str, Any]) -> orm.Dict:
    maker = _process(orm.CalcFunctionNode, "aiida.calculations:ion.decide_stage")
    maker.base.links.add_incoming(chain, LinkType.CALL_CALC, f"decide_{name}_000")
    for material in materials:
        given = results.get(material["label"]) or orm.load_node(uuid=material["uuid"])
        maker.base.links.add_incoming(given, LinkType.INPUT_CALC, material["label"])
    maker.store()
    cut = Cut(**CUTS[name])
    attributes = {"stage": name, "method": name, "quantity": cut.quantity, "maximum": cut.maximum, "minimum": None}
    node = _output(maker, orm.Dict(attributes | {"decisions": decisions}), "result")
    maker.seal()
    if chain.process_state.value == "finished":
        node.base.links.add_incoming(chain, LinkType.RETURN, f"decisions__{name}_000")
    return node


def _process(kind: Any, process_type: str) -> Any:
    node = kind(process_type=process_type)
    node.set_process_label(process_type.rpartition(".")[2])
    node.set_process_state("finished")
    node.set_exit_status(0)
    return node


def _output(process: Any, node: Any, label: str) -> Any:
    node.base.links.add_incoming(process, LinkType.CREATE, label)
    return node.store()


def _computer() -> Any:
    found = orm.QueryBuilder().append(orm.Computer, filters={"label": "synthetic"}).first(flat=True)
    if found is not None:
        return found
    return orm.Computer(
        label="synthetic", hostname="localhost", transport_type="core.local", scheduler_type="core.direct"
    ).store()


def store_hops(crystal: Any, n_hops: int = 2, n_images: int = 5) -> Any:
    """Store migration barriers of a crystal, with the images of its hops; return the work chain."""
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.barrier")
    chain.base.links.add_incoming(crystal, LinkType.INPUT_WORK, "structure")
    chain.set_process_label("BarrierWorkChain")
    chain.set_process_state("finished")
    chain.set_exit_status(0)
    chain.store()
    atoms = crystal.get_ase()
    moving = atoms.get_chemical_symbols().index("Li")
    for hop in range(n_hops):
        node = orm.TrajectoryData()
        positions = np.repeat(atoms.positions[None], n_images, axis=0)
        positions[:, moving, hop % 3] += np.linspace(0.0, 2.5, n_images)
        node.set_array("steps", np.arange(n_images))
        node.set_array("positions", positions)
        node.set_array("cells", np.repeat(atoms.cell.array[None], n_images, axis=0))
        node.set_array("energies", 0.3 * np.sin(np.linspace(0.0, np.pi, n_images)) * (hop + 1))
        node.base.attributes.set_many(
            {"symbols": atoms.get_chemical_symbols(), "moving": moving, "verdict": "finished"}
        )
        node.store().base.links.add_incoming(chain, LinkType.RETURN, f"images__hop_{hop:02d}")
    network = orm.Dict({"barriers_eV": [0.3, None, None], "mobile_species": "Li", "method": "barrier"}).store()
    network.base.links.add_incoming(chain, LinkType.RETURN, "network")
    chain.seal()
    return chain


def fill() -> None:
    """Store a screening that has ended, and one that is running."""
    chain = store_screening()
    store_hops(orm.load_node(uuid=chain.inputs.materials[0]["uuid"]))
    store_screening(seed=2, running=True, measured=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", required=True, help="the profile to fill")
    load_profile(parser.parse_args().profile)
    fill()


if __name__ == "__main__":
    main()
