"""``ion.barrier``: migration barriers of a crystal, their network, and the transport that follows."""
