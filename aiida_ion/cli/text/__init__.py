"""What commands print: nodes and tables as text."""
