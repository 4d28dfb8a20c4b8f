"""Energy of a mobile ion as a function of its position in a crystal, and the energy at which its pathways percolate."""
