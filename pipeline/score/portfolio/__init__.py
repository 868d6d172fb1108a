"""The portfolio in figures: pure functions of open items, published runs and dated policy, no file in sight."""
