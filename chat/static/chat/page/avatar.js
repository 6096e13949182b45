const HUES = 8;
const FACTOR = 31;
const LARGE = 2 ** 31;

/** What stands for a person at a glance: the first letter of the name, and one of eight hues, always the same. */
export function faceOf(name) {
  const characters = [...name];
  const hash = characters.reduce((sum, character) => (sum * FACTOR + character.codePointAt(0)) % LARGE, 0);
  return { initial: (characters[0] ?? "").toUpperCase(), hue: hash % HUES };
}

export function wearFace(element, name) {
  Object.assign(element.dataset, faceOf(name));
}
