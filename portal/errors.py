"""The errors that services raise for people; views and `RefusalMiddleware` turn them into words."""


class Refused(Exception):
    """A request that can't be done as asked; nothing was changed. `message` says what and how to mend it, `field` names the input."""

    status = 400

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Conflict(Refused):
    """Somebody or something was faster: the thing is no longer as the person saw it."""

    status = 409


class NotAllowed(Refused):
    """The actor sees the thing but may not do this to it."""

    status = 403
