import { BACKOFF_BASE_MS, BACKOFF_CAP_MS } from "./constants.js";

const LARGEST_EXPONENT = 30;

/** How long to wait before the next attempt: full jitter over a span that doubles, up to the cap. */
export function backoffMs(attempt, random, capMs = BACKOFF_CAP_MS) {
  const windowMs = BACKOFF_BASE_MS * 2 ** Math.min(attempt, LARGEST_EXPONENT);
  return Math.min(capMs, BACKOFF_BASE_MS + random() * windowMs);
}
