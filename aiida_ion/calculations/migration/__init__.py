"""Jobs and calculation functions of migration barriers: hops, their network, kinetics."""
