"""How sidechannels refuse: one tree of errors, named by what is wrong.

SidechannelError
├── BadJson        bytes or a value that are no JSON within the limits
├── BadFrame       bytes that are no Protomux frame within the limits
├── BadBlob        a welcome, invite or revocation that cannot be read or does not hold
├── BadKey         a key, address or key file that is not one
└── Refused        a command of this side that the channel's rules forbid; `reason` is for a program
"""


class SidechannelError(Exception):
    """Nothing was done. The message is a sentence for whoever asked."""


class BadJson(SidechannelError):
    """Not JSON, or too large or too deep."""


class BadFrame(SidechannelError):
    """Not a frame, or one that lies about its length."""


class BadBlob(SidechannelError):
    """A signed blob that cannot be read, or is not what it should be here."""


class BadKey(SidechannelError):
    """Not a key, an address or a key file."""


class Refused(SidechannelError):
    """The rules of the channel forbid what was asked."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
