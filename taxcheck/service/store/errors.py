"""What the service refuses or cannot do: one line for people, and the status of HTTP."""

from __future__ import annotations

from taxcheck.model.errors import InputError, OutputError


class StoreError(InputError):
    """Base of what goes wrong between a request and the store; ``status`` is HTTP's."""

    status = 400


class NotThereError(StoreError):
    """Nothing has this name."""

    status = 404


class ConflictError(StoreError):
    """The name is taken by something else, or what is asked for is over already."""

    status = 409


class TooLargeError(StoreError):
    """More bytes, values or levels than this server takes."""

    status = 413


class RefusedError(StoreError):
    """It can be read, and is not what may be asked for or kept."""

    status = 422


class AwayError(StoreError):
    """The database does not answer; the same request may succeed later."""

    status = 503


class NoRoomError(OutputError):
    """The disk is full; nothing half-written is left, and reading goes on."""

    status = 507


class NewerSchemaError(InputError):
    """The database was brought to a form that this taxcheck does not know."""

    status = 503
