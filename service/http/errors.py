"""What ends the process on account of its HTTP side."""


class AddressNotFree(Exception):
    """The HTTP address cannot be listened on; the text says why and what to do."""


class HttpServerEnded(Exception):
    """It ended by itself, while the service ran; the log has its error."""
