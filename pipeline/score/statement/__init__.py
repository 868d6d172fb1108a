"""What a customer is told of its own rating, and which steps would improve it: pure functions, no file in sight."""
