"""``ion.kinetics``: diffusivity and conductivity on a network of hops, exact for few carriers and by Monte Carlo."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    ScriptCalculation,
    ScriptParser,
    define_ledger,
    threads_of,
    write_json,
)
from aiida_ion.settings.migration import TransportSettings
from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError

#: What the program reads of a network.
OF_NETWORK = ("sites_eV", "saddles_eV", "pairs", "vectors", "steps_A", "volume_A3", "mechanism", "is_bound", "charge_e")


class KineticsCalculation(ScriptCalculation):
    """Transport on a network of hops."""

    _program = "migration.kinetics"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the network, the settings and the result."""
        super().define(spec)
        spec.input(
            "network",
            valid_type=orm.Dict,
            validator=validate_network,
            help="All hops with energies, eV, as `ion.percolate_hops` returns them.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_transport,
            help=f"What is computed. {summary(TransportSettings)}.",
        )
        spec.output(
            "kinetics",
            valid_type=orm.Dict,
            required=False,
            help="`carrier_tensor_cm2_s`, exact; `conductivity_S_m` at the given concentration; of carriers that "
            "exclude each other `kmc_carrier_tensor_cm2_s`, `kmc_tracer_diffusivity_cm2_s`, `kmc_conductivity_S_m`, "
            "with errors.",
        )
        define_ledger(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.kinetics"

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write network and settings."""
        network = self.inputs.network.get_dict()
        content = {
            "network": {name: network[name] for name in OF_NETWORK},
            "transport": TransportSettings.from_dict(self.inputs.parameters.get_dict()).to_dict(),
            "potential": {"threads": threads_of(self.inputs.metadata.options)},
        }
        write_json(folder, FILENAME_INPUTS, content)
        return self.describe(folder, temporary=[])


def validate_network(value: orm.Dict | None, _: Any) -> str | None:
    """Return why a mapping is not a network; ``None`` if it is."""
    absent = [name for name in OF_NETWORK if name not in (value.get_dict() if value is not None else {})]
    return f"the network lacks {', '.join(absent)}: give the output of ion.percolate_hops" if absent else None


def validate_transport(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        TransportSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


class KineticsParser(ScriptParser):
    """Reads ``results.json``."""

    def parse(self, **_: Any) -> ExitCode | None:
        """Attach the result."""
        try:
            results = self.read_results()
        except ValueError as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if results is None:
            return self.exit_code_of_ending(self.ending())
        self.attach_ledger(results)
        if results.get("kinetics"):
            self.out("kinetics", orm.Dict(results["kinetics"]))
        return self.exit_code_of_status(results)
