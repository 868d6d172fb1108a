"""What we receive: contract, mapping, quarantine, the tables, the demo economy."""
