"""Write a small untrained MACE model for copper and silver: ``python make_tiny_mace.py FILE``."""

import sys

import numpy as np
import torch
from mace import modules  # before e3nn: it lets torch read e3nn's constants

# isort: split
from e3nn import o3

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
model = modules.ScaleShiftMACE(
    r_max=4.0,
    num_bessel=4,
    num_polynomial_cutoff=5,
    max_ell=2,
    interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
    interaction_cls_first=modules.interaction_classes["RealAgnosticInteractionBlock"],
    num_interactions=2,
    num_elements=2,
    hidden_irreps=o3.Irreps("8x0e"),
    MLP_irreps=o3.Irreps("8x0e"),
    atomic_energies=np.zeros(2),
    avg_num_neighbors=12.0,
    atomic_numbers=[29, 47],
    correlation=2,
    gate=torch.nn.functional.silu,
    atomic_inter_scale=0.1,
    atomic_inter_shift=0.0,
)
torch.save(model, sys.argv[1])
