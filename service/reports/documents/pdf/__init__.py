"""Documents as PDF pages."""
