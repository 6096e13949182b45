import { Bus } from "./bus.js";
import { STATUS } from "./constants.js";
import { MemoryStore, openStore } from "./store.js";

const LEAVES_AFTER_MS = 1000;

/** Opens the outbox of one user. Without a `storage` that keeps something, it lasts as long as the page. */
export async function openOutbox({ user, clock, storage, channel = {} }) {
  const store = await openStore(storage, clock).catch(() => new MemoryStore());
  const outbox = new Outbox({ user, store, channel, clock });
  await outbox.open();
  return outbox;
}

/**
 * What this user wrote and the server has not yet acknowledged, in order, and the drafts of the composer. It is kept in
 * the browser's storage and shared by the user's tabs. Entries are replaced, never changed in place.
 *
 * Leaves out the sending: that is `delivery.js`. Announces `change`.
 */
export class Outbox {
  #user;
  #store;
  #channel;
  #clock;
  #bus = new Bus();
  #entries = [];
  #leaving = new Set();
  #turn = Promise.resolve();
  #writesWaiting = 0;

  constructor({ user, store, channel, clock }) {
    this.#user = user;
    this.#clock = clock;
    this.#store = store;
    this.#channel = channel;
    channel.onmessage = ({ data }) => data === user && this.refresh();
  }

  async open() {
    await this.refresh();
    const acknowledged = this.#entries.filter((entry) => entry.status === STATUS.SENT);
    await Promise.all(acknowledged.map((entry) => this.remove(entry.nonce)));
  }

  /** Looks at what the other tabs did. What was read while a write of our own was waiting is already old. */
  async refresh() {
    const entries = await this.#inTurn((store) => store.all(this.#user));
    if (this.#writesWaiting > 0) return this.refresh();
    this.#show(entries);
  }

  get user() {
    return this.#user;
  }

  get entries() {
    return this.#entries;
  }

  on(name, listener) {
    return this.#bus.on(name, listener);
  }

  entriesOf(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  find(nonce) {
    return this.#entries.find((entry) => entry.nonce === nonce);
  }

  /** A message ({room, nonce, text, createdAt}) or a change. It is there at once; the promise is that it is stored. */
  add(written) {
    const entry = { ...written, user: this.#user, status: STATUS.SENDING };
    this.#show([...this.#entries, entry]);
    return this.#write((store) => store.add(entry));
  }

  retry(nonce) {
    return this.#replace(nonce, { status: STATUS.SENDING, error: undefined });
  }

  fail(nonce, error) {
    return this.#replace(nonce, { status: STATUS.FAILED, error });
  }

  acknowledge(nonce, { seq, version }) {
    return this.#replace(nonce, { status: STATUS.SENT, seq, version });
  }

  /** Its message is there. It goes a little later, so that the other tabs hear before that it was sent. */
  settle(nonce, place) {
    const entry = this.find(nonce);
    if (!entry || this.#leaving.has(nonce)) return;
    this.#leaving.add(nonce);
    if (entry.status !== STATUS.SENT) this.acknowledge(nonce, place);
    this.#clock.setTimeout(() => this.remove(nonce), LEAVES_AFTER_MS);
  }

  remove(nonce) {
    this.#leaving.delete(nonce);
    if (!this.find(nonce)) return undefined;
    this.#show(this.#entries.filter((entry) => entry.nonce !== nonce));
    return this.#write((store) => store.remove(nonce));
  }

  draft(room) {
    return this.#inTurn((store) => store.draft(this.#user, room));
  }

  saveDraft(room, text) {
    return this.#inTurn((store) => store.saveDraft(this.#user, room, text));
  }

  #replace(nonce, changes) {
    const old = this.find(nonce);
    if (!old) return undefined;
    const entry = { ...old, ...changes };
    this.#show(this.#entries.map((other) => (other === old ? entry : other)));
    return this.#write((store) => store.change(nonce, changes));
  }

  #show(entries) {
    this.#entries = entries;
    this.#bus.emit("change");
  }

  async #write(act) {
    this.#writesWaiting += 1;
    await this.#inTurn(act);
    this.#writesWaiting -= 1;
    this.#channel.postMessage?.(this.#user);
  }

  #inTurn(act) {
    this.#turn = this.#turn
      .then(() => act(this.#store))
      .catch(() => act((this.#store = new MemoryStore(this.#entries))));
    return this.#turn;
  }
}
