"""One thin verb per DVC stage; nothing imports these."""
