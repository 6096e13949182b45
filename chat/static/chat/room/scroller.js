const BOTTOM_MARGIN_PX = 40;
const EDGE_MARGIN_PX = 400;

/** The window onto a long list: it stays at the bottom when it is there, and on what is being read when it is not. */
export class Scroller {
  #element;
  #list;
  #isAtBottom = true;
  #heightPx = 0;
  #isEnd = true;

  /** `moved` is called when it was scrolled, or changed its size. */
  constructor({ element, list, ResizeObserver, moved }) {
    this.#element = element;
    this.#list = list;
    element.addEventListener("scroll", () => this.#scrolled(moved), { passive: true });
    const observer = new ResizeObserver(() => this.#resized(moved));
    observer.observe(element);
    observer.observe(list);
  }

  get isAtBottom() {
    return this.#isAtBottom;
  }

  get isNearTop() {
    return this.#element.scrollTop < EDGE_MARGIN_PX;
  }

  get isNearBottom() {
    return this.#leftBelowPx() < EDGE_MARGIN_PX;
  }

  get isFarFromBottom() {
    return this.#leftBelowPx() > this.#element.clientHeight;
  }

  toBottom() {
    this.#isAtBottom = true;
    this.#element.scrollTop = this.#element.scrollHeight;
  }

  /** Whether the list ends where the talk does. Where it does not, nobody stays at its bottom. */
  endsHere(isEnd) {
    this.#isEnd = isEnd;
    this.#isAtBottom &&= isEnd;
  }

  /** The beginning of what is too high for the window, the middle of what is not. */
  toMiddle(row) {
    const { height } = row.getBoundingClientRect();
    this.toTop(row, Math.max(0, (this.#element.clientHeight - height) / 2), row);
  }

  /** Scrolls so far that the row's text is at that distance from the upper edge. */
  toTop(row, topPx, part = textOf(row)) {
    this.#element.scrollTop += this.#topPx(part) - topPx;
    this.#measure();
  }

  /** The first row of the kind of which something can be seen, and how far down its text is. */
  firstVisible(selector) {
    const row = this.#visible().find((element) => element.matches(selector));
    return row && { row, topPx: this.#topPx(textOf(row)) };
  }

  /** Whatever the change does above or below, what is being read stays where it is. */
  keepInPlace(change) {
    if (this.#isAtBottom) {
      change();
      return this.toBottom();
    }
    const anchors = this.#visible().map(textOf);
    const tops = anchors.map((element) => element.getBoundingClientRect().top);
    change();
    const kept = anchors.findIndex((element) => element.isConnected);
    if (kept >= 0) this.#element.scrollTop += anchors[kept].getBoundingClientRect().top - tops[kept];
    this.#measure();
  }

  /** The last child of the list of which something can be seen. */
  lastVisible() {
    const { bottom } = this.#element.getBoundingClientRect();
    return this.#list.children[this.#countAbove(bottom, "top") - 1];
  }

  #visible() {
    const { top, bottom } = this.#element.getBoundingClientRect();
    const from = this.#countAbove(top, "bottom");
    return [...this.#list.children].slice(from, this.#countAbove(bottom, "top"));
  }

  /** How many children have that edge above the line. They are in order, so that a few are looked at, and not all. */
  #countAbove(linePx, edge) {
    const { children } = this.#list;
    let low = 0;
    let high = children.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (children[middle].getBoundingClientRect()[edge] < linePx) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A scroll that comes with a change of the window's own height is not the reader's. */
  #scrolled(moved) {
    if (this.#element.clientHeight !== this.#heightPx) return this.#resized(moved);
    this.#measure();
    moved();
  }

  #resized(moved) {
    this.#heightPx = this.#element.clientHeight;
    if (this.#isAtBottom) this.toBottom();
    moved();
  }

  #measure() {
    this.#isAtBottom = this.#isEnd && this.#leftBelowPx() < BOTTOM_MARGIN_PX;
  }

  #topPx(element) {
    return element.getBoundingClientRect().top - this.#element.getBoundingClientRect().top;
  }

  #leftBelowPx() {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    return scrollHeight - scrollTop - clientHeight;
  }
}

/** A row grows and shrinks at its head, as its author is shown or not; its text is what one reads. */
function textOf(row) {
  return row.querySelector?.('[data-part="text"]') ?? row;
}
