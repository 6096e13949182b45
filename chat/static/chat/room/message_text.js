import { gettext } from "../page/i18n.js";
import { linkify } from "./linkify.js";

const FEW_EMOJI = 3;
const EMOJI = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u;
const LINK = Object.freeze({ tabIndex: -1, rel: "noopener noreferrer nofollow", target: "_blank" });
const LITERAL = "a, code, pre";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const shown = new WeakMap();

/** Shows what a message says: its HTML, which the server made by an allow-list, or its words; and links in both. */
export function fillText(element, { html, deleted }, words) {
  const look = html && !deleted ? html : words;
  if (shown.get(element) === look) return;
  shown.set(element, look);
  if (look === words) element.replaceChildren(...nodesOf(element.ownerDocument, words));
  else element.replaceChildren(contentOf(element.ownerDocument, html));
  mark(element, "formatted", look !== words);
  mark(element, "emoji", isFewEmoji(element.textContent));
}

function contentOf(document, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const { content } = template;
  linkTexts(document, content);
  content.querySelectorAll("a").forEach((link) => Object.assign(link, LINK));
  content.querySelectorAll("p, li, blockquote, th, td").forEach((block) => block.setAttribute("dir", "auto"));
  content.querySelectorAll("pre").forEach((code) => wearCopyButton(document, code));
  return content;
}

function linkTexts(document, content) {
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement?.closest(LITERAL)) texts.push(walker.currentNode);
  texts.forEach((text) => text.replaceWith(...nodesOf(document, text.data)));
}

function wearCopyButton(document, code) {
  const button = document.createElement("button");
  const words = gettext("Copy code");
  Object.assign(button, { type: "button", className: "code-copy", tabIndex: -1, title: words });
  button.dataset.action = "copy-code";
  button.setAttribute("aria-label", words);
  const block = document.createElement("div");
  block.className = "code";
  code.dir = "ltr";
  code.replaceWith(block);
  block.append(code, button);
}

function nodesOf(document, words) {
  return linkify(words).map(({ text, href }) => {
    if (!href) return document.createTextNode(text);
    return Object.assign(document.createElement("a"), { ...LINK, href, textContent: text });
  });
}

/** A few emoji and nothing else are shown large. */
function isFewEmoji(words) {
  const text = words.replace(/\s/gu, "");
  if (text === "" || text.length > FEW_EMOJI * 16) return false;
  const pieces = [...graphemes.segment(text)].map(({ segment }) => segment);
  return pieces.length <= FEW_EMOJI && pieces.every((piece) => EMOJI.test(piece));
}

function mark(element, name, is) {
  if (is) element.dataset[name] = "";
  else delete element.dataset[name];
}
