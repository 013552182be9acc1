"""What the platform reads: one provider's figures and reports, under /v1, with a token."""
