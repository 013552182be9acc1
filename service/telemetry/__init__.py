"""What the service tells of itself: metrics for Prometheus, spans for OpenTelemetry."""
