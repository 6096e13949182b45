const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** Lets the arrow keys walk through the messages, from the latest upwards. */
export function roveMessages(scroller, list) {
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

function neighbour(messages, current, step) {
  const place = messages.indexOf(current);
  if (place < 0) return step < 0 ? messages.at(-1) : undefined;
  return messages[place + step];
}
