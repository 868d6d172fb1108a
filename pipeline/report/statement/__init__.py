"""The customer's page: grade, what counts, what would improve it, and the customer's rights."""
