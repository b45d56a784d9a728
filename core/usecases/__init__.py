"""The use cases that need both stores: users are in Postgres, messages in DynamoDB."""
