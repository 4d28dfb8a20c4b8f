"""Hops of single ions between the sites of a crystal: which there are, the cells of each, and what follows from them."""
