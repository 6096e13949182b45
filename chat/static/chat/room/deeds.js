import { STATUS } from "../client/constants.js";

export const DEED = Object.freeze({ REACT: "react", EDIT: "edit", COPY: "copy", LINK: "link", DELETE: "delete" });

/** What `me` may do with a message, in the order in which it is offered; nothing with one that is not there yet. */
export function deedsFor(line, { me, mayModerate }) {
  if (line.status !== STATUS.SENT || line.deleted || line.change?.status === STATUS.FAILED) return [];
  const isMine = line.author === me;
  const isText = line.binary === undefined;
  const may = {
    [DEED.REACT]: true,
    [DEED.EDIT]: isMine && isText,
    [DEED.COPY]: isText,
    [DEED.LINK]: true,
    [DEED.DELETE]: isMine || mayModerate,
  };
  return Object.keys(may).filter((deed) => may[deed]);
}

/** The latest message of one's own that can still be edited, or undefined. */
export function lastOfMine(lines, { me }) {
  return lines.findLast((line) => deedsFor(line, { me, mayModerate: false }).includes(DEED.EDIT));
}
