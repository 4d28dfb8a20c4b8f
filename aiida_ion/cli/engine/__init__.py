"""``aiida-ion engine``: environments of potentials, and the AiiDA codes that run them."""
