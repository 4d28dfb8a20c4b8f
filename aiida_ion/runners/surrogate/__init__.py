"""Programs of the surrogate of the diffusivity."""
