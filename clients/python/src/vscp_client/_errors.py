"""What goes wrong."""


class VscpError(Exception):
    """What the server, or the connection to it, refuses."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        #: The code of the server; 0 where there is no answer from it.
        self.code = code
