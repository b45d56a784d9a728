"""The parts of the page Conversations."""
