"""The console: a page for the operator, for the whole fleet, whichever instance serves it."""
