"""What the page Conversations needs."""
