const NONCE_BYTES = 16;

/** One frame as it travels. */
export function encode(frame) {
  return JSON.stringify(frame);
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
