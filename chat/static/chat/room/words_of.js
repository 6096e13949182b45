const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": " ", "&amp;": "&" };
const ENDS_OF_LINES = /<br>\n?|<\/(?:p|li|tr|pre)>\n?/gu;
const ENDS_OF_CELLS = /<\/t[hd]>\s*/gu;

/** The words of a message's HTML, for those who hear it, and where only words fit. The server made it: no tag has a ">" inside. */
export function wordsOf(html) {
  const lines = html.replace(ENDS_OF_LINES, "\n").replace(ENDS_OF_CELLS, " ");
  const words = lines.replace(/<[^>]*>/gu, "").replace(/&\w+;/gu, (entity) => ENTITIES[entity] ?? entity);
  return words.replace(/\s*\n\s*/gu, "\n").trim();
}
