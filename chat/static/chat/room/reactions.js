import { reactionWords } from "../page/words.js";

/** Shows a message's reactions as buttons: how many, who, and whether I am one of them. */
export function fillReactions(list, reactions = {}, me) {
  const kinds = Object.entries(reactions);
  list.hidden = kinds.length === 0;
  const shown = new Map([...list.children].map((item) => [item.dataset.emoji, item]));
  list.replaceChildren(...kinds.map(([emoji, names]) => fill(shown.get(emoji) ?? create(list, emoji), emoji, names, me)));
}

function create(list, emoji) {
  const item = list.ownerDocument.createElement("li");
  const button = list.ownerDocument.createElement("button");
  item.dataset.emoji = button.dataset.emoji = emoji;
  Object.assign(button, { type: "button", className: "reaction", tabIndex: -1 });
  button.dataset.action = "react";
  item.append(button);
  return item;
}

function fill(item, emoji, names, me) {
  const [button] = item.children;
  button.textContent = `${emoji} ${names.length}`;
  button.title = reactionWords(emoji, names);
  button.setAttribute("aria-label", reactionWords(emoji, names));
  button.setAttribute("aria-pressed", String(names.includes(me)));
  return item;
}
