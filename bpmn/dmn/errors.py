"""What goes wrong in a decision, said with the place where it went wrong."""

from __future__ import annotations


class DmnError(Exception):
    """A decision cannot be read or evaluated: `place` names the decision, the cell and its expression."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.message = message


class UnknownVariable(DmnError):
    """An expression asks for something that nothing is called."""


class FeelSyntaxError(Exception):
    """An expression does not follow the grammar; the caller adds the place."""


class Undefined(Exception):
    """An operation has no defined result; FEEL answers null and the run notes the reason."""


class TooMuch(Exception):
    """The steps of an evaluation are used up, or a value has grown too deep; the run adds the place."""
