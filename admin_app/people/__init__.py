"""What the page Users does with one user."""
