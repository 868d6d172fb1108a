"""A policy replayed over the past: limits month by month, the deliveries they would have let through, what it brought.
"""
