"""Reports: documents, their files, and the work that makes them."""
