import { SignedOut } from "./connection.js";

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
/** What a browser takes as a subprotocol (RFC 9110, 5.6.2); it throws on anything else. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Proves again who we are, by the session's cookie, and gives the subprotocols that carry the proof. A page whose CSRF
 * token is out of date goes without, and so does a ticket that is no token: the upgrade looks at the cookie anyway.
 */
export async function fetchTicket({ fetch, ticketUrl, csrfToken }) {
  const response = await fetch(ticketUrl, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken, Accept: "application/json" },
    credentials: "same-origin",
  });
  if (response.status === UNAUTHORIZED) throw new SignedOut();
  if (response.status === FORBIDDEN) return [];
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  const { ticket } = await response.json();
  return TOKEN.test(ticket) ? [`ticket.${ticket}`] : [];
}
