const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** Lets the arrow keys walk through the messages, from the latest upwards. */
export function roveMessages(scroller, list) {
  list.addEventListener("focusin", ({ target }) => setTabStops(target.closest("[data-status]"), 0));
  list.addEventListener("focusout", ({ target }) => setTabStops(target.closest("[data-status]"), -1));
  scroller.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const isOnControl = event.target.closest("a, button");
    if (!step || isOnControl || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = neighbour([...list.querySelectorAll("[data-status]")], event.target, step);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

/** The links in a message are stops while the focus is in it: else Shift+Tab from the composer would end in an old one. */
function setTabStops(message, tabIndex) {
  message?.querySelectorAll(`[data-part="text"] a`).forEach((link) => (link.tabIndex = tabIndex));
}

function neighbour(messages, current, step) {
  const place = messages.indexOf(current);
  if (place < 0) return step < 0 ? messages.at(-1) : undefined;
  return messages[place + step];
}
