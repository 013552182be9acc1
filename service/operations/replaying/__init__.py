"""Reading topics again beside live consumption: what `claim-analytics replay` does."""
