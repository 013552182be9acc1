"""What tests of the running service share: processes, messages, and whole tables to compare."""
