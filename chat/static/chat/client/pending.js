import { STATUS, VERB } from "./constants.js";
import { lineOfEntry, withReaction } from "./lines.js";

const APPLY = {
  [VERB.EDIT]: (line, { text, changedAt }) => ({ ...line, text, html: undefined, edited_at: changedAt }),
  [VERB.DELETE]: (line) => ({ ...line, text: "", html: undefined, reactions: {}, binary: undefined, deleted: true }),
  [VERB.REACT]: (line, { emoji, name, on }) => ({ ...line, reactions: withReaction(line, { emoji, name, on }) }),
};

/**
 * What this client wrote in one room and does not yet see there: messages on their way, and changes to messages that are
 * there. `isThere` says of each whether the room has come that far.
 */
export class Pending {
  #isThere;
  #posts = [];
  #changes = [];

  constructor(isThere) {
    this.#isThere = isThere;
  }

  /** The outbox entries of the room, as they are now. What was sent stays in sight until it is there. */
  set(entries) {
    const isPost = ({ verb = VERB.POST }) => verb === VERB.POST;
    this.#posts = this.#withSent(this.#posts, entries.filter(isPost).map(lineOfEntry));
    this.#changes = this.#withSent(this.#changes, entries.filter((entry) => !isPost(entry)).map(changeOfEntry));
  }

  /** The messages that are not there yet, in order. */
  lines() {
    return this.#posts.filter((line) => !this.#isThere(line));
  }

  /** These lines as they will be when the changes are there. A change that fails, or that takes a while, stands in `change`. */
  over(lines) {
    const changes = this.#changes.filter((change) => !this.#isThere(change));
    if (changes.length === 0) return lines;
    return lines.map((line) => changes.filter(({ seq }) => seq === line.seq).reduce(withChange, line));
  }

  /** All that is there by now. */
  settled() {
    return [...this.#posts, ...this.#changes].filter((written) => this.#isThere(written));
  }

  /** The keys of what was sent. */
  sentKeys() {
    return [...this.#posts, ...this.#changes].filter(({ status }) => status === STATUS.SENT).map(({ key }) => key);
  }

  #withSent(before, now) {
    const keys = new Set(now.map(({ key }) => key));
    const gone = before.filter(({ key }) => !keys.has(key));
    return [...gone.filter((written) => written.status === STATUS.SENT && !this.#isThere(written)), ...now];
  }
}

function changeOfEntry({ user, nonce, verb, seq, text, emoji, on, createdAt, status, error, version }) {
  return { key: `change ${nonce}`, nonce, verb, seq, text, emoji, on, name: user, changedAt: createdAt, status, error, version };
}

function withChange(line, change) {
  if (change.status === STATUS.FAILED) return { ...line, change };
  const changed = APPLY[change.verb](line, change);
  return change.verb === VERB.REACT ? changed : { ...changed, change };
}
