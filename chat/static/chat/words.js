import { CLOSE, ERROR, STATE } from "./constants.js";
import { gettext, interpolate, ngettext } from "./text.js";

const MS_PER_S = 1000;
const NAMES_OF_TYPISTS = 3;

/** The connection's state in words, at this moment. */
export function stateWords({ name, code, until }, now) {
  if (name === STATE.CONNECTING) return gettext("Connecting…");
  if (name === STATE.ONLINE) return gettext("Online");
  if (name === STATE.WAITING) return waitingWords(secondsLeft(until, now));
  if (name === STATE.OFFLINE) return gettext("Offline");
  if (name === STATE.SIGNED_OUT) return gettext("Signed out");
  if (name === STATE.REPLACED) return gettext("Opened elsewhere");
  if (name === STATE.REFUSED) return refusalWords(code);
  return gettext("Disconnected");
}

export function secondsLeft(until, now) {
  return Math.max(0, Math.ceil((until - now) / MS_PER_S));
}

/** Why a message was not sent, or a room not entered. */
export function errorWords({ code, message }) {
  if (code === ERROR.TOO_LONG) return gettext("it is too long.");
  if (code === ERROR.FORBIDDEN) return gettext("you may not write here.");
  if (code === ERROR.NOT_FOUND) return gettext("this room is not there any more.");
  return message ?? code;
}

export function roomRefusalWords(code) {
  if (code === ERROR.FORBIDDEN) return gettext("You are not a member of this room.");
  return gettext("This room is not there any more.");
}

export function typingWords(names) {
  if (names.length === 0) return "";
  if (names.length > NAMES_OF_TYPISTS) return gettext("Several people are typing…");
  return interpolate(ngettext("%(names)s is typing…", "%(names)s are typing…", names.length), {
    names: names.join(", "),
  });
}

export function newMessagesWords(count) {
  if (count === 0) return gettext("Latest messages");
  return interpolate(ngettext("%(count)s new message", "%(count)s new messages", count), { count });
}

function waitingWords(seconds) {
  if (seconds === 0) return gettext("Reconnecting…");
  return interpolate(gettext("Reconnecting in %(seconds)s s"), { seconds });
}

function refusalWords(code) {
  if (code === CLOSE.ACCOUNT_DISABLED) return gettext("This account is disabled");
  if (code === CLOSE.PROTOCOL_NOT_SUPPORTED) return gettext("This page is out of date: load it again");
  if (code === CLOSE.FORBIDDEN) return gettext("You may not connect");
  return gettext("The server closed the connection");
}
