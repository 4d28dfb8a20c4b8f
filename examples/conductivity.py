"""The ionic conductivity of calcium fluoride in LAMMPS, by the Python interface.

Run it with the profile that `aiida-ion setup` made:

    verdi run examples/conductivity.py
"""

from __future__ import annotations

from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory
from ase.spacegroup import crystal

fluorite = crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.72] * 3 + [90] * 3)

builder = WorkflowFactory("ion.conductivity").get_builder_from_protocol(
    structure=orm.StructureData(ase=fluorite),
    engine="ion.md.lammps",
    protocol="fast",
    overrides={
        "temperatures_K": [1700, 1850, 2000],
        # Near the runs: three of 20 ps do not determine what the conductivity is at 300 K.
        "target_temperature_K": 1500,
        "supercell": [2, 2, 2],
        "max_concurrent": 2,
        "md": {"total_time_ps": 20.0, "equilibration_fs": 2000.0, "sample_every": 25},
    },
    code=orm.load_code("lammps@localhost"),
    potential={"name": "gillan-caf2-1986"},
    diffusion_code=orm.load_code("kinisi@localhost"),
)
builder.metadata.label = "CaF2 by the Python interface"

# `submit(builder)` instead hands it to the daemon and returns at once.
results, node = run_get_node(builder)
print(f"{node.process_label}<{node.pk}> ended with exit status {node.exit_status}")
print(results["conductivity"].base.attributes.get("summary"))
for label, fit in results["diffusion"].items():
    print(label, fit.base.attributes.get("verdict"), fit.base.attributes.get("tracer_diffusivity_ci95_cm2_s"))
