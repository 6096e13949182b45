/** Moments in the words of one language and the reader's own time zone. */
export class Times {
  #time;
  #day;
  #moment;

  constructor({ language, timeZone }) {
    this.#time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit", timeZone });
    this.#day = new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone });
    this.#moment = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium", timeZone });
  }

  time(moment) {
    return this.#time.format(new Date(moment));
  }

  day(moment) {
    return this.#day.format(new Date(moment));
  }

  moment(moment) {
    return this.#moment.format(new Date(moment));
  }
}

/** The reader's own locale of the page's language: English dates are not the same in London and in New York. */
export function localeOf(language, readers = []) {
  const base = (tag) => tag.toLowerCase().split("-")[0];
  return readers.find((tag) => base(tag) === base(language)) ?? (language || undefined);
}
