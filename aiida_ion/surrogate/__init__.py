"""An E(3)-equivariant network that predicts the slope of the MSD from a few force evaluations. Independent of AiiDA."""
