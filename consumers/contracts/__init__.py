"""What the events on the topics look like: one module per event, one row each in `registry`."""
