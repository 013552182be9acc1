"""The files of reports: encrypted under keys of their own, stored, and given out again."""
