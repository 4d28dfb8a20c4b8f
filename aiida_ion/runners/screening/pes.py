"""Frozen potential-energy surfaces of many materials: ``python -m aiida_ion.runners.screening.pes`` in its folder.

Reads ``inputs.json``: ``potential``, ``settings`` (:class:`PesSettings`), ``structures`` as all batches have them, and
``plans``, for each label the plan of its maps or why there is none. Appends to ``results.jsonl`` one record for each
material; writes ``results.json`` at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_ion.runners.output import Ledger, RunnerError, limit_threads, run_program

if TYPE_CHECKING:
    from aiida_ion.analysis.energy_maps.frozen.compute import Request
    from aiida_ion.analysis.energy_maps.kept_map import EnergyMap
    from aiida_ion.runners.energies import EnergyEvaluator
    from aiida_ion.runners.potentials import Potential
    from aiida_ion.runners.run_inputs import PotentialInputs
    from aiida_ion.runners.screening.batch import Material
    from aiida_ion.settings.pes import PesSettings

METHOD = "pes"


def main() -> int:
    """Compute the materials; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(compute_materials)


def compute_materials(results: dict[str, Any], ledger: Ledger) -> None:
    """Compute the maps of all materials of the working folder; fill the results of the program.

    :raises RunnerError: for inputs that cannot be read, or a potential that cannot be loaded.
    """
    from aiida_ion.runners.potentials import describe_potential, load_potential
    from aiida_ion.runners.run_inputs import potential_inputs, read_inputs
    from aiida_ion.runners.screening.batch import read_materials, run_batch

    inputs = read_inputs(Path("inputs.json"))
    chosen, settings, materials = potential_inputs(inputs), _settings(inputs), read_materials(inputs)
    results["engine"] = {"potential": chosen.name, "device": chosen.device, "threads": chosen.threads}
    if chosen.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(chosen, [])  # what it does not know is refused for each material
    describe_potential(results, potential)
    work = Work(chosen, potential, settings, inputs.get("plans") or {}, materials)
    always = {"method": METHOD, "mobile_species": settings.mobile_species, "method_hash": work.method_hash}
    try:
        run_batch(results, materials, work, always, inputs.get("max_seconds"))
    finally:
        ledger.n_steps = work.evaluator.n_evaluated
        results["evaluated_by"] = "model_without_forces" if work.evaluator.uses_batches else "ase_calculator"
        results["warnings"] = [*results["warnings"], *work.evaluator.warnings]


class Work:
    """Computes the record of a material, and begins those that come after it.

    :param chosen: the potential as it was asked for.
    :param potential: as it was loaded.
    :param plans: by label ``plan`` and ``mobile_species``, or ``refusal``.
    :param materials: all materials of the batch, in order.
    """

    def __init__(
        self,
        chosen: PotentialInputs,
        potential: Potential,
        settings: PesSettings,
        plans: Mapping[str, Any],
        materials: Sequence[Material],
    ) -> None:
        from aiida_ion.analysis.method_hash import method_hash
        from aiida_ion.runners.energies import EnergyEvaluator, atoms_at_once, energy_batch_of
        from aiida_ion.runners.screening.batch import RESULTS, read_records
        from aiida_ion.runners.screening.lookahead import Lookahead

        self._elements, self._settings, self._plans = potential.elements, settings, plans
        self._level = level_of(chosen, potential)
        self.method_hash = method_hash(pes_method(settings, self._level))
        batch = energy_batch_of(chosen.name, potential.calculator)
        self.evaluator: EnergyEvaluator = EnergyEvaluator(potential.calculator, batch, atoms_at_once(potential.device))
        done = read_records(RESULTS)
        todo = [one.label for one in materials if one.label not in done and self._refusal(one) is None]
        self._lookahead = Lookahead(self.evaluator, [(label, partial(self._compute, label)) for label in todo])

    def __call__(self, material: Material) -> dict[str, Any]:
        """Return the entries of the record of a material.

        :raises RefusedError: for one that has no maps.
        """
        from aiida_ion.analysis.energy_maps.frozen.compute import NoMapError
        from aiida_ion.runners.screening.batch import RefusedError
        from aiida_ion.runners.screening.maps import keep_map

        refusal = self._refusal(material)
        if refusal is not None:
            raise RefusedError(refusal)
        try:
            outcome = self._lookahead.outcome(material.label)
        except NoMapError as error:
            raise RefusedError(str(error)) from error
        result, energies, barriers_eV = outcome.value
        keep = (self._settings.keep_map, self._settings.max_map_points)
        return {**keep_map(result, energies, barriers_eV, material.label, *keep), "cost": outcome.cost}

    def _refusal(self, material: Material) -> str | None:
        """Return why a material is not computed; ``None`` if it is."""
        from ase.data import atomic_numbers

        if material.refusal is not None:
            return material.refusal
        about = self._plans.get(material.label) or {"refusal": "it has no plan"}
        if "refusal" in about:
            return str(about["refusal"])
        known = self._elements
        unknown = sorted({one for one in material.symbols if known is not None and atomic_numbers[one] not in known})
        return f"the potential does not know {', '.join(unknown)}" if unknown else None

    def _compute(self, label: str) -> Generator[Request, Any, tuple[dict[str, Any], EnergyMap, Any]]:
        """Compute the entries of a record, the map of the ion that percolates most easily, and its barriers, eV."""
        from aiida_ion.analysis.energy_maps.frozen.compute import NoMapError, compute_map
        from aiida_ion.analysis.energy_maps.frozen.kept import map_of
        from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan
        from aiida_ion.analysis.energy_maps.frozen.results import frozen_results
        from aiida_ion.settings.pes import USUAL_EXCLUSION_A

        about, settings = self._plans[label], self._settings
        plan, maps, n_evaluated = FrozenPlan.from_dict(about["plan"]), [], 0
        for one in plan.maps:
            computation = compute_map(one, settings.step_A, settings.exclusion_A, settings.use_symmetry)
            energies = None
            while True:
                try:
                    request = computation.send(energies)
                except StopIteration as stop:
                    maps.append(stop.value)
                    break
                n_evaluated += len(request.positions_A)
                if n_evaluated > settings.max_evaluations:
                    raise NoMapError(
                        f"it needs more than max_evaluations = {settings.max_evaluations:,} energies; take a longer "
                        "step_A or raise the limit"
                    )
                energies = yield request
        result = frozen_results(plan, maps, settings.descriptors)
        if settings.exclusion_A < USUAL_EXCLUSION_A:
            result["caveats"].append(
                f"energies closer than {USUAL_EXCLUSION_A:g} angstrom to an atom are outside of what potentials are "
                "trained on, and may be far too low"
            )
        about_all = {"settings": settings.to_dict(), "potential": self._level}
        return {"mobile_species": about["mobile_species"], **about_all, **result}, *map_of(maps, result)


def level_of(chosen: PotentialInputs, potential: Potential) -> dict[str, Any]:
    """Return what decides the energies of a potential: its name, its weights, its arguments and its precision."""
    checkpoint = potential.checkpoint
    facts = {
        "program": chosen.name,
        "checkpoint_sha256": checkpoint["sha256"],
        "checkpoint": checkpoint["name"],
        "arguments": dict(chosen.kwargs) or None,
        "precision": potential.dtype,
    }
    return {name: value for name, value in facts.items() if value is not None}


def pes_method(settings: PesSettings, level: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that decides the numbers of a crystal.

    The name of the weights decides nothing where their hash is known.
    """
    from aiida_ion.settings.pes import METHOD_VERSION

    decisive = {
        name: value for name, value in level.items() if name != "checkpoint" or "checkpoint_sha256" not in level
    }
    return {"method": METHOD, "version": METHOD_VERSION, "settings": settings.decisive(), "potential": decisive}


def _settings(inputs: Mapping[str, Any]) -> PesSettings:
    from aiida_ion.settings.pes import PesSettings

    try:
        return PesSettings.from_dict(inputs.get("settings") or {})
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'settings': {error}") from error


if __name__ == "__main__":
    sys.exit(main())
