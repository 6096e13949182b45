import assert from "node:assert/strict";
import { test } from "node:test";
import { SignedOut } from "../../../chat/static/chat/client/connection.js";
import { fetchTicket } from "../../../chat/static/chat/client/tickets.js";

function ask(response) {
  const asked = [];
  const fetch = async (...request) => {
    asked.push(request);
    return response;
  };
  return { asked, answer: fetchTicket({ fetch, ticketUrl: "/api/ticket", csrfToken: "token" }) };
}

test("a ticket is asked for with the CSRF token, and becomes a subprotocol", async () => {
  const { asked, answer } = ask({ status: 200, ok: true, json: async () => ({ ticket: "abc", expires_in: 60 }) });
  assert.deepEqual(await answer, ["ticket.abc"]);
  const [[url, { method, headers, credentials }]] = asked;
  assert.deepEqual([url, method, headers["X-CSRFToken"], credentials], ["/api/ticket", "POST", "token", "same-origin"]);
});

test("401 is signed out", async () => {
  await assert.rejects(ask({ status: 401, ok: false }).answer, SignedOut);
});

test("what no browser takes as a subprotocol is not given", async () => {
  const { answer } = ask({ status: 200, ok: true, json: async () => ({ ticket: "abc:def", expires_in: 60 }) });
  assert.deepEqual(await answer, []);
});

test("403 goes without a ticket: the upgrade decides by the cookie", async () => {
  assert.deepEqual(await ask({ status: 403, ok: false }).answer, []);
});

test("anything else is a failure that passes", async () => {
  const failure = ask({ status: 503, ok: false }).answer;
  await assert.rejects(failure, (error) => !(error instanceof SignedOut));
});
