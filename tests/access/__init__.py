"""Who may do what to which store: every task and every action of the admin UI, in every state."""
