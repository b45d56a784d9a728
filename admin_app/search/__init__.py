"""What the page Search needs."""
