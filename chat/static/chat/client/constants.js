// The words of the wire and of the connection, each in this one place.

export const SUBPROTOCOL = "chat.v1";

export const STATE = Object.freeze({
  CONNECTING: "connecting",
  ONLINE: "online",
  WAITING: "waiting",
  OFFLINE: "offline",
  CLOSED: "closed",
  SIGNED_OUT: "signed-out",
  REPLACED: "replaced",
  REFUSED: "refused",
});

export const VERB = Object.freeze({
  JOIN: "join",
  LEAVE: "leave",
  HISTORY: "history",
  POST: "post",
  EDIT: "edit",
  DELETE: "delete",
  REACT: "react",
  READ: "read",
  TYPING: "typing",
  HEARTBEAT: "heartbeat",
});

export const EVENT = Object.freeze({
  HELLO: "hello",
  JOINED: "joined",
  LEFT: "left",
  HISTORY: "history",
  RESYNC: "resync",
  MESSAGE: "message",
  REACTION: "reaction",
  ACK: "ack",
  PRESENCE: "presence",
  TYPING: "typing",
  READ: "read",
  ROOM: "room",
  ERROR: "error",
  BYE: "bye",
});

export const ERROR = Object.freeze({
  BAD_JSON: "bad_json",
  BAD_FRAME: "bad_frame",
  UNKNOWN_TYPE: "unknown_type",
  TOO_LONG: "too_long",
  EMPTY: "empty",
  NOT_FOUND: "not_found",
  FORBIDDEN: "forbidden",
  RATE_LIMITED: "rate_limited",
  UNAVAILABLE: "unavailable",
  UNSUPPORTED: "unsupported",
  INTERNAL: "internal",
  DISCONNECTED: "disconnected",
  TIMEOUT: "timeout",
});

export const CLOSE = Object.freeze({
  NORMAL: 1000,
  LOST: 1006,
  TOO_BIG: 1009,
  NOT_SIGNED_IN: 4001,
  FORBIDDEN: 4002,
  ACCOUNT_DISABLED: 4003,
  PROTOCOL_NOT_SUPPORTED: 4004,
  REPLACED: 4005,
  PROTOCOL_BROKEN: 4006,
  HEARTBEAT_MISSED: 4103,
  RESTARTING: 4200,
  AUTHENTICATE_AGAIN: 4201,
});

export const STATUS = Object.freeze({ SENDING: "sending", SENT: "sent", FAILED: "failed" });

export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 20_000;
export const BACKOFF_CAP_VISIBLE_MS = 5_000;
/** What a server asks for is believed so far: its clock may be wrong. */
export const TOLD_CAP_MS = 60_000;
export const STABLE_AFTER_MS = 10_000;
export const CONNECT_TIMEOUT_MS = 10_000;
export const CONNECT_PATIENCE_MS = 2_000;
export const REQUEST_TIMEOUT_MS = 10_000;
export const HEARTBEAT_INTERVAL_MS = 10_000;
export const HEARTBEAT_TIMEOUT_MS = 5_000;
export const DEAD_AFTER_INTERVALS = 2.5;
export const BUFFER_LIMIT_BYTES = 65_536;
export const BUFFER_POLL_MS = 50;
export const LOCK_PATIENCE_MS = 10_000;
export const READ_EVERY_MS = 1_000;
export const READ_SPREAD_MS = 500;
export const TYPING_EVERY_MS = 3_000;
export const TYPING_SHOWN_MS = 6_000;
export const TEXT_LIMIT = 8_000;

const STOPPED = Object.freeze({
  [CLOSE.NOT_SIGNED_IN]: STATE.SIGNED_OUT,
  [CLOSE.REPLACED]: STATE.REPLACED,
});

/** What a close code asks of the client; the range is the meaning, so unknown codes are understood too. */
export function afterClose(code) {
  if (code >= 4000 && code <= 4099) return { comesBack: false, state: STOPPED[code] ?? STATE.REFUSED };
  return {
    comesBack: true,
    whenTold: code >= 4200 && code <= 4299,
    authenticates: code === CLOSE.AUTHENTICATE_AGAIN,
  };
}
