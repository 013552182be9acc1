"""What can go wrong with the local stack."""


class StackError(Exception):
    """The stack cannot run; the message is a sentence that says why and what to do about it."""
