"""What the page Store needs."""
