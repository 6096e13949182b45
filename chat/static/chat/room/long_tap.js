const LONG_TAP_MS = 450;
const STILL_PX = 10;

/** Calls `act(element)` when a finger rests on a child of the list; the click that its lifting makes, wherever, counts for nothing. */
export function onLongTap(list, { clock, act }) {
  const document = list.ownerDocument;
  let timer = null;
  let began = null;
  let isTaken = false;
  const end = () => clock.clearTimeout(timer);
  const take = (event) => {
    isTaken = true;
    act(event.target);
  };
  document.addEventListener("pointerdown", () => (isTaken = false), { capture: true });
  document.addEventListener("click", (event) => isTaken && stop(event), { capture: true });
  list.addEventListener("pointerdown", (event) => {
    end();
    began = event;
    if (event.pointerType === "touch") timer = clock.setTimeout(() => take(event), LONG_TAP_MS);
  });
  list.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (began && Math.hypot(clientX - began.clientX, clientY - began.clientY) > STILL_PX) end();
  });
  ["pointerup", "pointercancel"].forEach((name) => document.addEventListener(name, end));
  list.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.preventDefault());
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
