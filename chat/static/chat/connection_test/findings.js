import { gettext, interpolate } from "../page/i18n.js";

const SECURE_SCHEMES = ["https", "wss"];

/** What the server saw of the handshake against what the page knows to be true: {id, name, verdict, words} of each. */
export function proxyFindings(seen, location) {
  return [scheme(seen, location), host(seen, location), origin(seen, location), client(seen)];
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function scheme(seen, { protocol }) {
  const isSeenSecure = SECURE_SCHEMES.includes(seen.x_forwarded_proto || seen.scheme);
  if (protocol !== "https:") return { ...good("scheme", gettext("Nothing is encrypted between here and the site.")), verdict: "neutral" };
  if (isSeenSecure) return good("scheme", gettext("The page and the socket are encrypted."));
  return warn(
    "scheme",
    gettext("The server does not know that the page is encrypted: the proxy must set X-Forwarded-Proto."),
  );
}

function host(seen, location) {
  const values = { seen: seen.host, expected: location.host };
  if (seen.host === location.host) return good("host", interpolate(gettext("The server sees %(seen)s."), values));
  const words = gettext("The server sees %(seen)s instead of %(expected)s: the proxy must pass on the Host header.");
  return warn("host", interpolate(words, values));
}

function origin(seen, location) {
  const values = { seen: seen.origin, expected: location.origin };
  if (seen.origin === location.origin) return good("origin", interpolate(gettext("The server sees %(seen)s."), values));
  const words = gettext("The server sees %(seen)s instead of %(expected)s: something changes the Origin header.");
  return warn("origin", interpolate(words, values));
}

function client(seen) {
  const values = { client: seen.client, proxy: seen.x_forwarded_for };
  const words = seen.x_forwarded_for
    ? gettext("The server sees you as %(client)s, via a proxy that reports %(proxy)s.")
    : gettext("The server sees you as %(client)s, directly.");
  return good("client", interpolate(words, values));
}

function good(what, words) {
  return { id: `proxy-${what}`, name: nameOf(what), verdict: "good", words };
}

function warn(what, words) {
  return { id: `proxy-${what}`, name: nameOf(what), verdict: "warn", words };
}

function nameOf(what) {
  if (what === "scheme") return gettext("Encryption");
  if (what === "host") return gettext("Host");
  if (what === "origin") return gettext("Origin");
  return gettext("Your address");
}
