"""Why a connection ends."""

from enum import IntEnum


class Close(IntEnum):
    """Why a connection ends. The range is the meaning: 40xx stays away, 41xx backs off, 42xx comes when told."""

    NOT_SIGNED_IN = 4001
    FORBIDDEN = 4002
    ACCOUNT_DISABLED = 4003
    PROTOCOL_NOT_SUPPORTED = 4004
    REPLACED = 4005
    PROTOCOL_BROKEN = 4006
    INTERNAL = 4100
    TOO_SLOW = 4101
    RATE_LIMITED = 4102
    HEARTBEAT_MISSED = 4103
    OVERLOADED = 4104
    RESTARTING = 4200
    AUTHENTICATE_AGAIN = 4201

    @property
    def reason(self) -> str:
        return self.name.lower().replace("_", " ")
