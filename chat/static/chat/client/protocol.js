const NONCE_BYTES = 16;
const HALF_A_PAIR = /\p{Surrogate}/gu;

/** One frame as it travels. No server could read it with half a surrogate pair in a text, as scripts and pastes make. */
export function encode(frame) {
  return JSON.stringify(frame, (_, value) => (typeof value === "string" ? wellFormed(value) : value));
}

/** The frames of one text: an object per line. Lines that are no frame are skipped, as a newer server may send them. */
export function decode(text) {
  return text.split("\n").map(decodeLine).filter(isFrame);
}

/** The name a client gives to a message of its own, for ever. */
export function createNonce(crypto) {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function wellFormed(text) {
  return text.replace(HALF_A_PAIR, "\ufffd");
}

function decodeLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isFrame(value) {
  return typeof value === "object" && value !== null && typeof value.type === "string";
}
