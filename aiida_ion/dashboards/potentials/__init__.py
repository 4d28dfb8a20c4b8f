"""Parts of the page of potentials: a card for each that computed forces, and what is published of it."""
