const CONTINUED_WITHIN_MS = 5 * 60 * 1000;

/**
 * Lines as they are shown: a day before the first line of each day, and lines that continue what the same author has
 * just said. `dayOf` names the day of a moment.
 */
export function arrange(lines, dayOf) {
  const items = [];
  let previous = null;
  for (const line of lines) {
    const day = dayOf(line.created_at);
    const isNewDay = day !== previous?.day;
    if (isNewDay) items.push({ key: `day ${day} ${line.key}`, day, moment: line.created_at });
    items.push({ key: line.key, line, isContinued: !isNewDay && continues(previous.line, line) });
    previous = { day, line };
  }
  return items;
}

function continues(previous, line) {
  const apartMs = new Date(line.created_at) - new Date(previous.created_at);
  return previous.author === line.author && !previous.deleted && apartMs < CONTINUED_WITHIN_MS;
}
