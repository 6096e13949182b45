/** Who is in one room. In a big room only how many. */
export class Presence {
  #names = new Set();
  #count = 0;

  get names() {
    return [...this.#names].sort((a, b) => a.localeCompare(b));
  }

  get count() {
    return this.#count;
  }

  replace({ names = [], count = names.length }) {
    this.#names = new Set(names);
    this.#count = count;
  }

  change({ joined = [], left = [], count }) {
    left.forEach((name) => this.#names.delete(name));
    joined.forEach((name) => this.#names.add(name));
    this.#count = count ?? this.#names.size;
    if (this.#names.size > this.#count) this.#names.clear();
  }
}
