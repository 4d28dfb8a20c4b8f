"""How many jobs run on a computer at a time: one ledger for all that a profile runs."""
