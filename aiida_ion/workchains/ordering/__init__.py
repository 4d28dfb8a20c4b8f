"""The work chain that orders a disordered crystal, and relaxes and ranks the ordered cells."""
