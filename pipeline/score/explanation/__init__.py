"""What each feature adds to a customer's raw score, for one customer in print and for the whole book in a file."""
