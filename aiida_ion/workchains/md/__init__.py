"""The one MD interface and its engines: a file each."""
