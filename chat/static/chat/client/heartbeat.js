import { DEAD_AFTER_INTERVALS } from "./constants.js";

/**
 * Finds out whether the other side is still there. It compares clocks and counts no ticks, because timers sleep in
 * hidden tabs and suspended laptops; a clock that jumped either way looks like silence, and costs a reconnect at worst.
 *
 * The next beat is timed when an answer arrives, not when the timer fires: browsers slow down timers that set
 * timers in a tab hidden for long, and leave alone those set by a message.
 */
export class Heartbeat {
  #clock;
  #beat;
  #dead;
  #intervalMs;
  #timeoutMs;
  #timer = null;
  #isRunning = false;
  #isAwaiting = false;
  #beatAt;
  #heardAt;

  constructor({ clock, beat, dead }) {
    this.#clock = clock;
    this.#beat = beat;
    this.#dead = dead;
  }

  start({ intervalMs, timeoutMs }) {
    this.stop();
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#isRunning = true;
    this.#beatAt = this.#heardAt = this.#clock.now();
    this.#arm();
  }

  stop() {
    this.#clock.clearTimeout(this.#timer);
    this.#isRunning = this.#isAwaiting = false;
  }

  /** Any frame counts as life, except one that lay waiting while we slept: the server has long given us up. */
  heard() {
    if (!this.#isRunning) return;
    if (this.#isSilentForGood()) return this.#giveUp();
    this.#heardAt = this.#clock.now();
    if (!this.#isAwaiting) return;
    this.#isAwaiting = false;
    this.#arm();
  }

  /** Somebody has reason to doubt: the page woke, or the network went. */
  check() {
    if (this.#isRunning) this.#look({ isDoubtful: true });
  }

  #arm() {
    const deadlineMs = this.#isAwaiting ? this.#timeoutMs : this.#intervalMs;
    const leftMs = Math.max(0, deadlineMs - this.#since(this.#beatAt));
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#look({ isDoubtful: false }), leftMs);
  }

  #look({ isDoubtful }) {
    if (this.#isSilentForGood() || this.#isOverdue()) return this.#giveUp();
    if (this.#mayBeat(isDoubtful)) this.#send();
    this.#arm();
  }

  #giveUp() {
    this.stop();
    this.#dead();
  }

  #isSilentForGood() {
    return this.#since(this.#heardAt) >= this.#intervalMs * DEAD_AFTER_INTERVALS;
  }

  #isOverdue() {
    return this.#isAwaiting && this.#since(this.#beatAt) >= this.#timeoutMs;
  }

  #mayBeat(isDoubtful) {
    return !this.#isAwaiting && (isDoubtful || this.#since(this.#beatAt) >= this.#intervalMs);
  }

  #send() {
    this.#isAwaiting = true;
    this.#beatAt = this.#clock.now();
    this.#beat(this.#beatAt);
  }

  #since(moment) {
    return Math.abs(this.#clock.now() - moment);
  }
}
