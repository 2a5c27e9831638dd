"""The GraphQL interface that the SDK speaks."""
