import { gettext } from "./i18n.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Moments in the words of one language and the reader's own time zone. */
export class Times {
  #time;
  #day;
  #moment;
  #clock;

  constructor({ language, timeZone, clock }) {
    this.#clock = clock;
    this.#time = new Intl.DateTimeFormat(language, { hour: hourOf(language), minute: "2-digit", timeZone });
    this.#day = new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone });
    this.#moment = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium", timeZone });
  }

  time(moment) {
    return this.#time.format(new Date(moment));
  }

  day(moment) {
    const day = this.#day.format(new Date(moment));
    if (day === this.#day.format(this.#clock.now())) return gettext("Today");
    if (day === this.#day.format(this.#clock.now() - DAY_MS)) return gettext("Yesterday");
    return day;
  }

  moment(moment) {
    return this.#moment.format(new Date(moment));
  }
}

/** Where a day has 24 hours, each of them has two digits: they stand under each other. */
function hourOf(language) {
  const { hourCycle } = new Intl.DateTimeFormat(language, { hour: "numeric" }).resolvedOptions();
  return hourCycle === "h23" ? "2-digit" : "numeric";
}

/** The reader's own locale of the page's language: English dates are not the same in London and in New York. */
export function localeOf(language, readers = []) {
  const base = (tag) => tag.toLowerCase().split("-")[0];
  return readers.find((tag) => base(tag) === base(language)) ?? (language || undefined);
}
