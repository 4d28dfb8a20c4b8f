"""Parts of the page of all materials: the Arrhenius plot of the row that was clicked."""
