"""Known wrong beliefs, one small function each, so that a wrong result can be named for what it is."""
