"""Parts of the overview: the conductors at one level of theory, how levels agree, and failures by reason."""
