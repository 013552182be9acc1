"""What the platform reads over HTTP: one provider's rows, as the role that sees no others."""
