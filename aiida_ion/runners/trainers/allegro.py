"""Allegro, which NequIP's program trains."""

from __future__ import annotations

from typing import Any

from aiida_ion.runners.trainers.nequip import NequipTrainer
from aiida_ion.training.families.nequip import AllegroSettings


class AllegroTrainer(NequipTrainer):
    """Trains Allegro."""

    def network(self) -> dict[str, Any]:
        """Return the part of the model that NequIP and Allegro do not share."""
        settings = self._settings()
        assert isinstance(settings, AllegroSettings)
        width = settings.n_scalars
        return {
            "_target_": "allegro.model.AllegroModel",
            "radial_chemical_embed": {
                "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
                "num_bessels": settings.n_radial,
                "bessel_trainable": False,
                "polynomial_cutoff_p": 6,
            },
            "radial_chemical_embed_dim": width,
            "scalar_embed_mlp_hidden_layers_depth": 1,
            "scalar_embed_mlp_hidden_layers_width": width,
            "scalar_embed_mlp_nonlinearity": "silu",
            "num_scalar_features": width,
            "num_tensor_features": settings.n_tensors,
            "allegro_mlp_hidden_layers_depth": 1,
            "allegro_mlp_hidden_layers_width": width,
            "allegro_mlp_nonlinearity": "silu",
            "tp_path_channel_coupling": True,
            "readout_mlp_hidden_layers_depth": 1,
            "readout_mlp_hidden_layers_width": width,
            "readout_mlp_nonlinearity": "silu",
        }
