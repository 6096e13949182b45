const ADDRESS =
  /(?:https?:\/\/|(?<![\p{L}\p{N}@/.:_-])www\.)[^\s<>"'`\u3000-\u3003\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+|(?<![\w.+@/:-])[\w.+-]{1,64}@(?:[a-z\d-]{1,63}\.)+[a-z]{2,24}(?![\w@-])/giu;
const MAIL = /^[^/]+@/u;
const TRAILING = [...".,;:!?*_~”’»›…—–｡؟؛،।॥。"];
/** What is not seen, or turns the direction of what follows: an address that has it is not what it looks like. */
const UNSEEN = /[\p{Cf}\p{Cc}\p{Co}\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0f]/u;
const PAIRS = ["()", "[]", "{}"];

/** The pieces of a text in order: {text}, or {text, href} for an address: http, https, www. or mail. */
export function linkify(text) {
  const pieces = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(found);
    const href = hrefOf(address);
    if (href === null) continue;
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: address, href });
    end = index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** A sentence's full stop, and a bracket that was opened before the address, do not belong to it. */
function withoutTrailing(address) {
  const unpaired = unpairedIn(address);
  let end = address.length;
  while (TRAILING.includes(address[end - 1]) || unpaired[address[end - 1]] > 0) {
    end -= 1;
    unpaired[address[end]] -= 1;
  }
  return address.slice(0, end);
}

/** How many more closing brackets there are than opening ones, of each kind. */
function unpairedIn(address) {
  const count = (wanted) => [...address].filter((character) => character === wanted).length;
  return Object.fromEntries(PAIRS.map(([opening, closing]) => [closing, count(closing) - count(opening)]));
}

/** A link leads where it says: nothing unseen in it, and nobody's name before the host. Null where it would not. */
function hrefOf(address) {
  if (UNSEEN.test(address)) return null;
  if (MAIL.test(address)) return `mailto:${address}`;
  try {
    const { username, password, href } = new URL(/^www\./iu.test(address) ? `https://${address}` : address);
    return username === "" && password === "" ? href : null;
  } catch {
    return null;
  }
}
