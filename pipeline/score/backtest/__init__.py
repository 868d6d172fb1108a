"""A policy replayed over the past: its limits month by month, the deliveries they let through, what that brought."""
