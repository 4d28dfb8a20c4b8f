"""Hops of single ions between sites of a crystal: which there are, their cells, and what follows from them."""
