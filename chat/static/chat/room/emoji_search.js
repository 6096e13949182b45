/**
 * The emoji that have all of these words, those first whose name begins with them. `groups` are [title, emoji …], an emoji is
 * [sign, name, other words].
 */
export function findEmoji(groups, query) {
  const words = query.toLowerCase().split(/[\s:_]+/u).filter(Boolean);
  if (words.length === 0) return [];
  const all = groups.flatMap(([, ...emoji]) => emoji);
  const found = all.filter((emoji) => words.every((word) => textOf(emoji).includes(word)));
  const isFirst = ([, name]) => name.startsWith(words[0]);
  return [...found.filter(isFirst), ...found.filter((emoji) => !isFirst(emoji))];
}

function textOf([sign, name, others]) {
  return `${sign} ${name} ${others}`.toLowerCase();
}
