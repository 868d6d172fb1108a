"""What happened next: snapshots, performance window, is_bad."""
