import { gettext, interpolate } from "../page/i18n.js";
import { changeErrorWords, errorWords, reactionsWords } from "../page/words.js";
import { fillReactions } from "./reactions.js";
import { fillText } from "./message_text.js";
import { wearFace } from "../page/avatar.js";
import { wordsOf } from "./words_of.js";
import { STATUS } from "../client/constants.js";

const FOLDED_LINES = 24;
const FOLDED_CHARACTERS = 3_000;

/** Makes the elements of messages and days from the page's templates, and fills them. Text is only ever text. */
export class MessageElements {
  #messageTemplate;
  #dayTemplate;
  #times;
  #links;
  #me;

  constructor({ document, times, links, me }) {
    this.#messageTemplate = document.getElementById("message-template");
    this.#dayTemplate = document.getElementById("day-template");
    this.#times = times;
    this.#links = links;
    this.#me = me;
  }

  create(item) {
    const template = item.line ? this.#messageTemplate : this.#dayTemplate;
    const element = template.content.firstElementChild.cloneNode(true);
    element.dataset.key = item.key;
    if (item.line) element.tabIndex = -1;
    else this.#fillDay(element, item);
    return element;
  }

  fill(element, { line, isContinued }, { isSlow, isOnline }) {
    const { author, created_at: createdAt, edited_at: editedAt, deleted, seq } = line;
    const status = statusOf(line);
    const time = this.#times.time(createdAt);
    part(element, "author").textContent = author;
    fillTime(part(element, "time"), createdAt, time, this.#times.moment(createdAt));
    if (seq !== undefined) part(element, "link").href = this.#links.to(seq);
    fillText(part(element, "text"), line, spoken(line));
    fold(element, line.deleted ? "" : line.text);
    wearFace(element, author);
    mark(element, "seq", seq);
    mark(element, "status", status);
    mark(element, "own", author === this.#me ? "" : undefined);
    mark(element, "continued", isContinued ? "" : undefined);
    mark(element, "edited", editedAt && !deleted ? "" : undefined);
    mark(element, "deleted", deleted ? "" : undefined);
    fillNote(part(element, "note"), noteOf(line, isSlow, isOnline));
    fillReactions(part(element, "reactions"), line.reactions, this.#me);
    part(element, "actions").hidden = status !== STATUS.FAILED;
    part(element, "discard").textContent = line.change ? gettext("Discard") : gettext("Delete");
    element.setAttribute("aria-label", `${author}, ${time}: ${[spoken(line), ...spokenMarks(line)].join(", ")}`);
  }

  #fillDay(element, { moment }) {
    fillTime(part(element, "day"), moment, this.#times.day(moment));
  }
}

/** How far the message has come, or the latest change of it that is on its way. */
export function statusOf({ status, change }) {
  return change?.status ?? status;
}

/** What is said of a message when it is read aloud. */
export function spoken({ text, html, deleted, binary }) {
  if (deleted) return gettext("This message was deleted.");
  if (binary !== undefined) return interpolate(gettext("%(count)s bytes, for programs"), { count: binary });
  return html ? wordsOf(html) : text;
}

function spokenMarks({ deleted, edited_at: editedAt, reactions = {} }) {
  const marks = [editedAt && !deleted && gettext("edited"), reactionsWords(reactions)];
  return marks.filter(Boolean);
}

function noteOf(line, isSlow, isOnline) {
  const { deleted, edited_at: editedAt } = line;
  const status = statusOf(line);
  if (status === STATUS.FAILED) return line.change ? changeErrorWords(line.change) : failureWords(line.error);
  if (status === STATUS.SENDING && isSlow) return isOnline ? gettext("Sending…") : gettext("Not sent yet");
  if (status === STATUS.SENDING) return "";
  return editedAt && !deleted ? gettext("edited") : "";
}

function failureWords(error) {
  return interpolate(gettext("Not sent: %(reason)s"), { reason: errorWords(error) });
}

/** A long text shows its beginning, and the rest when it is asked for. */
function fold(element, text) {
  const isLong = text.length > FOLDED_CHARACTERS || text.split("\n", FOLDED_LINES + 1).length > FOLDED_LINES;
  const isFolded = isLong && element.dataset.unfolded === undefined;
  mark(element, "folded", isFolded ? "" : undefined);
  part(element, "unfold").hidden = !isFolded;
}

function fillTime(element, moment, words, title = "") {
  element.dateTime = moment;
  element.textContent = words;
  element.title = title;
}

function fillNote(element, words) {
  element.textContent = words;
  element.hidden = words === "";
}

function mark(element, name, value) {
  if (value === undefined) delete element.dataset[name];
  else element.dataset[name] = value;
}

function part(element, name) {
  return element.querySelector(`[data-part="${name}"]`);
}
