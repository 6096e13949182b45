import { STATUS } from "./constants.js";

/** Messages as lines: each at its `seq`, in its newest version, and known by its key. */
export class Lines {
  #lines = new Map();
  #seqOfKey = new Map();
  #seqs = [];
  #early = new Map();

  get lastSeq() {
    return this.#seqs.at(-1) ?? 0;
  }

  has(seq) {
    return this.#lines.has(seq);
  }

  get(seq) {
    return this.#lines.get(seq);
  }

  ofKey(key) {
    return this.#lines.get(this.#seqOfKey.get(key));
  }

  get size() {
    return this.#seqs.length;
  }

  /** The lines between those places, and at them, in order. */
  between(from, to) {
    return this.#seqs.slice(this.#indexOf(from), this.#indexOf(to + 1)).map((seq) => this.#lines.get(seq));
  }

  /** A state that is older than the one that is known changes nothing. */
  put(message) {
    const known = this.#lines.get(message.seq);
    if (known && known.version >= message.version) return;
    if (!known) this.#seqs.splice(this.#indexOf(message.seq), 0, message.seq);
    const line = lineOfMessage(message);
    this.#lines.set(line.seq, line);
    this.#seqOfKey.set(line.key, line.seq);
    this.#catchUp(line.seq);
  }

  /** A reaction came or went. Of a message that is not here it is kept, until the page with the message comes. */
  react(reaction) {
    const { seq, version } = reaction;
    const known = this.#lines.get(seq);
    if (!known) this.#early.set(seq, [...(this.#early.get(seq) ?? []), reaction]);
    else if (known.version < version) this.#lines.set(seq, { ...known, version, reactions: withReaction(known, reaction) });
  }

  /** Nothing more follows what was kept: whatever page comes next has it. */
  forgetEarly() {
    this.#early.clear();
  }

  /** Lets go of all but those whose place is wanted. */
  keep(isWanted) {
    this.#seqs.filter((seq) => !isWanted(seq)).forEach((seq) => this.#drop(seq));
    this.#seqs = this.#seqs.filter(isWanted);
  }

  clear() {
    this.#lines.clear();
    this.#seqOfKey.clear();
    this.#early.clear();
    this.#seqs = [];
  }

  #catchUp(seq) {
    const early = this.#early.get(seq) ?? [];
    this.#early.delete(seq);
    early.forEach((reaction) => this.react(reaction));
  }

  #drop(seq) {
    this.#seqOfKey.delete(this.#lines.get(seq).key);
    this.#lines.delete(seq);
  }

  #indexOf(seq) {
    return this.#seqs.findLastIndex((other) => other < seq) + 1;
  }
}

/** The line of a message that is still on its way. */
export function lineOfEntry({ user, nonce, text, createdAt, status, error, version }) {
  return {
    key: keyOf({ author: user, nonce }),
    nonce,
    author: user,
    text,
    created_at: createdAt,
    status,
    error,
    version,
  };
}

/** The names that reacted, by emoji; an emoji that nobody has is not there. */
export function withReaction({ reactions = {} }, { emoji, name, on }) {
  const others = (reactions[emoji] ?? []).filter((other) => other !== name);
  const names = on ? [...others, name] : others;
  const { [emoji]: _, ...rest } = reactions;
  return names.length > 0 ? { ...reactions, [emoji]: names } : rest;
}

function lineOfMessage(message) {
  return { ...message, key: keyOf(message), status: STATUS.SENT };
}

function keyOf({ author, nonce, seq }) {
  return nonce ? `${author} ${nonce}` : `#${seq}`;
}
