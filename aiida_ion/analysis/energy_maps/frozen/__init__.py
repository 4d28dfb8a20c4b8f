"""The potential-energy surface of one ion in a crystal whose other atoms stay in place."""
