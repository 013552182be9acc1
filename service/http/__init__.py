"""What the service says over HTTP: health, numbers, the console, and results for the platform."""
