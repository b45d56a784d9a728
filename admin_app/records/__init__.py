"""Tables of stored text that is only read, as the audit and a user's activities."""
