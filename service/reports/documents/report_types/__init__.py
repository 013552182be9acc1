"""One module per report type: its query, what it shows, and its `DEFINITION`."""
