import { CLOSE, ERROR, STATE, VERB } from "../client/constants.js";
import { gettext, interpolate, ngettext } from "./i18n.js";

const MS_PER_S = 1000;
const NAMES_OF_TYPISTS = 3;
const NAMES_OF_REACTIONS = 10;
const REASONS = {
  [ERROR.BAD_JSON]: () => gettext("the server couldn't process it."),
  [ERROR.BAD_FRAME]: () => gettext("it contains an unsupported character."),
  [ERROR.UNKNOWN_TYPE]: () => gettext("the server does not know what to do with it."),
  [ERROR.UNSUPPORTED]: () => gettext("the server does not know what to do with it."),
  [ERROR.TOO_LONG]: () => gettext("it is too long."),
  [ERROR.EMPTY]: () => gettext("it is empty."),
  [ERROR.FORBIDDEN]: () => gettext("you can't post in this room."),
  [ERROR.NOT_FOUND]: () => gettext("this room was deleted."),
  [ERROR.INTERNAL]: () => gettext("something went wrong on the server."),
};

const CHANGE_REASONS = {
  [ERROR.NOT_FOUND]: () => gettext("the message was deleted."),
  [ERROR.FORBIDDEN]: (verb) =>
    verb === VERB.REACT ? gettext("no more reactions fit here.") : gettext("you can't change this message."),
};

/** The connection's state in words, at this moment. */
export function stateWords({ name, code, until, isDoubtful }, now) {
  if (isDoubtful) return gettext("Checking connection…");
  if (name === STATE.CONNECTING) return gettext("Connecting…");
  if (name === STATE.ONLINE) return gettext("Online");
  if (name === STATE.WAITING) return waitingWords(secondsLeft(until, now));
  if (name === STATE.OFFLINE) return gettext("Offline");
  if (name === STATE.SIGNED_OUT) return gettext("Signed out");
  if (name === STATE.REPLACED) return gettext("Too many tabs open – this one is paused");
  if (name === STATE.REFUSED) return refusalWords(code);
  return gettext("Disconnected");
}

export function secondsLeft(until, now) {
  return Math.max(0, Math.ceil((until - now) / MS_PER_S));
}

/** Why a message was not sent. What a newer server says is in its own words. */
export function errorWords({ code, message }) {
  return REASONS[code]?.() ?? message ?? code;
}

/** Why a change of a message that is there was not made. */
export function changeErrorWords({ verb, error }) {
  return interpolate(gettext("Not changed: %(reason)s"), { reason: CHANGE_REASONS[error.code]?.(verb) ?? errorWords(error) });
}

/** Who reacted so; a name keeps its direction to itself. */
export function reactionWords(emoji, names) {
  const shown = names.slice(0, NAMES_OF_REACTIONS).map(isolated).join(gettext(", "));
  const more = names.length - NAMES_OF_REACTIONS;
  if (more <= 0) return `${emoji} ${shown}`;
  return interpolate(ngettext("%(shown)s and %(count)s more", "%(shown)s and %(count)s more", more), {
    shown: `${emoji} ${shown}`,
    count: more,
  });
}

/** All reactions to a message, counted. */
export function reactionsWords(reactions) {
  const counts = Object.entries(reactions).map(([emoji, names]) => `${emoji} ${names.length}`);
  if (counts.length === 0) return "";
  return interpolate(gettext("reactions: %(counts)s"), { counts: counts.join(" ") });
}

export function roomRefusalWords(code) {
  if (code === ERROR.FORBIDDEN) return gettext("You no longer have access to this room.");
  return gettext("This room was deleted.");
}

export function typingWords(names) {
  if (names.length === 0) return "";
  if (names.length > NAMES_OF_TYPISTS) return gettext("Several people are typing…");
  return interpolate(ngettext("%(names)s is typing…", "%(names)s are typing…", names.length), { names: listed(names) });
}

/** "A, B and C", as the page's language has it; a name keeps its direction to itself. */
function listed(names) {
  const [last, ...others] = names.map(isolated).reverse();
  if (others.length === 0) return last;
  return interpolate(gettext("%(names)s and %(last)s"), { names: others.reverse().join(gettext(", ")), last });
}

/** A name keeps its direction to itself, whatever stands beside it. */
export function isolated(name) {
  return `\u2068${name}\u2069`;
}

export function newMessagesWords(count) {
  if (count === 0) return gettext("Jump to latest");
  return interpolate(ngettext("%(count)s new message", "%(count)s new messages", count), { count });
}

function waitingWords(seconds) {
  if (seconds === 0) return gettext("Reconnecting…");
  return interpolate(gettext("Reconnecting in %(seconds)s s"), { seconds });
}

function refusalWords(code) {
  if (code === CLOSE.ACCOUNT_DISABLED) return gettext("This account is disabled");
  if (code === CLOSE.PROTOCOL_NOT_SUPPORTED) return gettext("A new version is available. Reload");
  if (code === CLOSE.FORBIDDEN) return gettext("You don't have access");
  return gettext("The server closed the connection");
}
