"""A model of the protocol, small enough to explore every state of it. Needs no server."""
