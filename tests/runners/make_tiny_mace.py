"""Train a small MACE model on EMT forces of copper and silver: ``python make_tiny_mace.py FILE``."""

import sys

import numpy as np
import torch
from mace import data, modules, tools  # before e3nn: it lets torch read e3nn's constants
from mace.tools import torch_geometric

# isort: split
from ase.build import bulk
from ase.calculators.emt import EMT
from e3nn import o3

N_STEPS = 60
CUTOFF_A = 4.0
ELEMENTS = [29, 47]


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    model = small_model()
    batch = next(iter(torch_geometric.dataloader.DataLoader(training_set(), batch_size=16, shuffle=False)))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        forces = model(batch.to_dict(), training=True)["forces"]
        loss = torch.mean((forces - batch.forces) ** 2)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    torch.save(model, sys.argv[1])
    print(f"force RMSE in eV/angstrom: {losses[0] ** 0.5:.4f} -> {losses[-1] ** 0.5:.4f}")


def small_model() -> torch.nn.Module:
    return modules.ScaleShiftMACE(
        r_max=CUTOFF_A,
        num_bessel=4,
        num_polynomial_cutoff=5,
        max_ell=2,
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls_first=modules.interaction_classes["RealAgnosticInteractionBlock"],
        num_interactions=2,
        num_elements=len(ELEMENTS),
        hidden_irreps=o3.Irreps("8x0e"),
        MLP_irreps=o3.Irreps("8x0e"),
        atomic_energies=np.zeros(len(ELEMENTS)),
        avg_num_neighbors=12.0,
        atomic_numbers=ELEMENTS,
        correlation=2,
        gate=torch.nn.functional.silu,
        atomic_inter_scale=0.5,
        atomic_inter_shift=0.0,
    )


def training_set() -> list[data.AtomicData]:
    table = tools.AtomicNumberTable(ELEMENTS)
    keys = data.KeySpecification(info_keys={"energy": "energy"}, arrays_keys={"forces": "forces"})
    results = []
    for seed in range(16):
        atoms = bulk("Cu", "fcc", a=3.8, cubic=True)
        atoms.numbers[seed % 4] = 47
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        atoms.info["energy"], atoms.arrays["forces"] = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = None
        config = data.config_from_atoms(atoms, key_specification=keys)
        results.append(data.AtomicData.from_config(config, z_table=table, cutoff=CUTOFF_A))
    return results


if __name__ == "__main__":
    main()
