"""What is counted and traced while consuming: plain numbers that the metrics read, and spans."""
