"""Parts of the page that compares levels of theory: scores, and errors by element."""
