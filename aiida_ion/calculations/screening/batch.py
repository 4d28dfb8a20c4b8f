"""Base of the jobs that compute many materials: structures in, one ``Dict`` for each of them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.analysis.crystals.identity import IDENTITY_VERSION, structure_hash
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptParser,
    define_ledger,
    seconds_allowed,
    threads_of,
    write_json,
)
from aiida_ion.endings import Ending
from aiida_ion.screening.records import FAILED, FILENAME_RECORDS, parse_records
from aiida_ion.settings.schema import Settings, summary
from aiida_ion.settings.values import SettingsError

#: A job with more of them has too many links for the database to be quick.
MAX_MATERIALS = 500
#: Extra of a StructureData with the hash of the crystal, so that it is computed once.
HASH_EXTRA = f"aiida_ion_structure_hash_{IDENTITY_VERSION}"
#: How many materials without a result are named in a message.
MAX_NAMED = 3


class BatchCalculation(CleaningCalculation):
    """A job with many materials; what is computed is :attr:`settings` and the program of the subclass."""

    #: Class of the settings in ``parameters``.
    settings: ClassVar[type[Settings]]
    #: Files that are parsed and then dropped.
    temporary: ClassVar[tuple[str, ...]] = (FILENAME_RECORDS,)

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare structures, settings and one result for each structure."""
        super().define(spec)
        spec.input_namespace(
            "structures",
            valid_type=orm.StructureData,
            dynamic=True,
            help=f"The materials under their labels, at most {MAX_MATERIALS}.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=cls.validate_parameters,
            help=f"Settings. {summary(cls.settings)}.",
        )
        spec.output_namespace(
            "results",
            valid_type=orm.Dict,
            dynamic=True,
            help="One for each label: `status` is finished, refused (the method does not apply; `message` says why) or "
            "failed; energies in eV, lengths in angstrom.",
        )
        define_ledger(spec)
        spec.exit_code(
            710,
            "WARNING_INCOMPLETE",
            message="The job was stopped; the other results are available: {detail}",
            invalidates_cache=True,
        )
        spec.inputs.validator = validate_batch_inputs

    @classmethod
    def validate_parameters(cls, value: orm.Dict | None, _: Any) -> str | None:
        """Return what is wrong with the settings; ``None`` if nothing is."""
        try:
            cls.settings.from_dict(value.get_dict() if value is not None else {})
        except SettingsError as error:
            return str(error)
        return None

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write structures and settings."""
        options = self.inputs.metadata.options
        content = {
            "structures": [described(label, node) for label, node in sorted(self.inputs.structures.items())],
            "settings": self.settings.from_dict(self.inputs.parameters.get_dict()).to_dict(),
            "threads": threads_of(options),
            "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
        }
        write_json(folder, FILENAME_INPUTS, content | self.more_inputs())
        # The structures are input nodes: what is written of them is a copy.
        return self.describe(folder, temporary=list(self.temporary), excluded=(FILENAME_INPUTS,))

    def more_inputs(self) -> dict[str, Any]:
        """Return what else the program reads from ``inputs.json``."""
        return {}


class BatchParser(ScriptParser):
    """Attaches the result of every material that the program got to, however it ended."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the results."""
        self.folder = Path(retrieved_temporary_folder or "")
        path = self.folder / FILENAME_RECORDS
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        labels = sorted(self.node.inputs.structures)
        records = {label: record for label, record in parse_records(text).items() if label in labels}
        for label, record in records.items():
            self.attach(label, record)
        try:
            results = self.read_results()
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.attach_ledger(results or {})
        missing = [label for label in labels if label not in records]
        if not missing:
            return self.exit_code_of_complete(records)
        return self._exit_code_of_incomplete(results, missing, len(labels))

    def attach(self, label: str, record: Mapping[str, Any]) -> None:
        """Attach the result of one material; other files of the job are in `self.folder`."""
        self.out(f"results.{label}", orm.Dict(dict(record)))

    def exit_code_of_complete(self, records: Mapping[str, Mapping[str, Any]]) -> ExitCode | None:
        """Return an error where every material failed: that is a fault of the job, not of the materials."""
        failed = [str(record["message"]) for record in records.values() if record["status"] == FAILED]
        if len(failed) < len(records):
            return None
        return self.exit_code("ERROR_PROGRAM_FAILED", f"all materials failed, the first with: {failed[0]}")

    def _exit_code_of_incomplete(
        self, results: dict[str, Any] | None, missing: list[str], n_materials: int
    ) -> ExitCode | None:
        """Return a warning where some have a result, else the error of a job without results."""
        ending = self.ending() if results is None else Ending(results["status"], str(results.get("message") or ""))
        if len(missing) < n_materials:
            named = ", ".join(missing[:MAX_NAMED]) + (", ..." if len(missing) > MAX_NAMED else "")
            detail = f"{len(missing)} of {n_materials} have none ({named}); {ending.message}"
            return self.exit_code("WARNING_INCOMPLETE", detail)
        if results is None or ending.status in ("walltime", "terminated"):
            return self.exit_code_of_ending(ending)
        return self.exit_code_of_status(results) or self.exit_code("ERROR_OUTPUT_MISSING", "no material has a result")


def described(label: str, node: orm.StructureData) -> dict[str, Any]:
    """Return a crystal as the program reads it: cell (angstrom), symbols, fractional positions, hash.

    One that is not an ordered crystal has the reason instead.
    """
    refusal = validate_crystal(node)
    if refusal is not None:
        return {"label": label, "refusal": refusal}
    atoms = node.get_ase()
    return {
        "label": label,
        "cell_A": atoms.cell.tolist(),
        "symbols": atoms.get_chemical_symbols(),
        "fractional": atoms.get_scaled_positions(wrap=False).tolist(),
        "structure_hash": structure_hash_of(node),
    }


def validate_crystal(node: orm.StructureData) -> str | None:
    """Return why a structure cannot be computed by any method; ``None`` if it can."""
    if not all(node.pbc):
        return "it is not periodic in three dimensions"
    if node.is_alloy or node.has_vacancies:
        return "it is disordered: sites are partly occupied or shared by elements; order the structure first"
    unknown = sorted({kind.symbol for kind in node.kinds} & {"X"})
    return "it has atoms of an unknown element" if unknown else None


def structure_hash_of(node: orm.StructureData) -> str | None:
    """Return the hash of a crystal, from the node where it was computed before; ``None`` for one that has none."""
    known = node.base.extras.get(HASH_EXTRA, None) if node.is_stored else None
    if known is not None:
        return str(known)
    try:
        digest = structure_hash(node.get_pymatgen_structure())
    except ValueError:
        return None
    if node.is_stored:
        node.base.extras.set(HASH_EXTRA, digest)
    return digest


def validate_batch_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what is wrong with the structures; ``None`` if nothing is."""
    structures = inputs.get("structures") or {}
    if not structures:
        return "no structure is given"
    if len(structures) > MAX_MATERIALS:
        return f"{len(structures)} structures are too many for one job: at most {MAX_MATERIALS}"
    return None
