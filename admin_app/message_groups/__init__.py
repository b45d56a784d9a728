"""What the page Message groups needs."""
