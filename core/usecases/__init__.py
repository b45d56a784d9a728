"""What a person does with both stores: who people are (Postgres), what they said (DynamoDB)."""
