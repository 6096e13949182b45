/** The addresses of a room's messages: the room's own, and the number of the message. */
export class Permalinks {
  #room;
  #origin;

  /** `room`: the path of the room, with a slash at its end. */
  constructor({ room, origin }) {
    this.#room = room;
    this.#origin = origin;
  }

  get room() {
    return this.#room;
  }

  to(seq) {
    return `${this.#room}${seq}/`;
  }

  /** As it is handed to somebody. */
  absolute(seq) {
    return this.#origin + this.to(seq);
  }

  /** The message that an address of this room is of, or null. */
  seqOf(address) {
    const { origin, pathname } = new URL(address, this.#origin + this.#room);
    const rest = pathname.startsWith(this.#room) ? pathname.slice(this.#room.length) : "";
    const found = /^(\d+)\/?$/u.exec(rest);
    return origin === this.#origin && found ? Number(found[1]) : null;
  }
}
