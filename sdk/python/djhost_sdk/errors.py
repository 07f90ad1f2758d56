"""What an operator raises."""


class Reject(Exception):
    """The operator cannot judge this row: it goes to quarantine with the reason. Other rows are not touched."""


class InvalidParams(Exception):
    """A parameter that the user must change. The text names it and says what is valid."""


class Failed(Exception):
    """The operator cannot process this batch. The host looks for the guilty rows."""
