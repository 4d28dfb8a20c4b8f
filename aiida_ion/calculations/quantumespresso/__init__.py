"""Jobs of Quantum ESPRESSO's pw.x."""
