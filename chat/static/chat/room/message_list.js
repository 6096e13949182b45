/** Keeps the children of one element in step with the items to show: an item keeps its element while it keeps its key. */
export class MessageList {
  #list;
  #elements;
  #shown = new Map();
  #isOnline = true;
  #wasOnline = true;

  constructor({ list, elements }) {
    this.#list = list;
    this.#elements = elements;
  }

  show(items, isSlow, isOnline = true) {
    this.#isOnline = isOnline;
    this.#removeAllBut(new Set(items.map(({ key }) => key)));
    let place = this.#list.firstElementChild;
    for (const item of items) {
      const element = this.#update(item, isSlow);
      if (element === place) place = place.nextElementSibling;
      else this.#list.insertBefore(element, place);
    }
    this.#wasOnline = this.#isOnline;
  }

  #removeAllBut(keys) {
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
  }

  #update(item, isSlow) {
    const shown = this.#shown.get(item.key) ?? { element: this.#elements.create(item) };
    const slow = item.line !== undefined && isSlow(item.line);
    const isFilled = isSame(shown, item, slow) && !(slow && this.#wasOnline !== this.#isOnline);
    if (item.line && !isFilled) this.#elements.fill(shown.element, item, { isSlow: slow, isOnline: this.#isOnline });
    this.#shown.set(item.key, { element: shown.element, item, slow });
    return shown.element;
  }
}

/** Pending lines are made anew for each showing; confirmed ones are the same object while they are the same. */
function isSame({ item, slow }, next, nextSlow) {
  if (!item || slow !== nextSlow || item.isContinued !== next.isContinued) return false;
  if (item.line === next.line) return true;
  return next.line.seq === undefined && item.line.status === next.line.status && item.line.error === next.line.error;
}
