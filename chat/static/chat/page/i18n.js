// The page's language: Django's catalog when it was loaded, and English without it.

export function gettext(english) {
  return globalThis.django?.gettext?.(english) ?? english;
}

export function ngettext(one, many, count) {
  return globalThis.django?.ngettext?.(one, many, count) ?? (count === 1 ? one : many);
}

/** Fills the %(name)s places of a text. */
export function interpolate(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);
}
