"""What we knew then: the features, defined once."""
