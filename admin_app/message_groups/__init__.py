"""The parts of the page Message groups."""
