"""Which elements move, which are the framework, and the conductivity of all together."""
