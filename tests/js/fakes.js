// What the modules are handed in tests: time that moves when told, and a network, a server and a storage that obey.

/** A clock that moves when told. `sleep` moves it as a suspended laptop does: no timer runs meanwhile. */
export class FakeClock {
  #now = Date.UTC(2026, 10, 20, 12);
  #timers = new Map();
  #lastTimer = 0;

  now() {
    return this.#now;
  }

  setTimeout(act, ms) {
    const timer = ++this.#lastTimer;
    this.#timers.set(timer, { act, at: this.#now + Math.max(0, ms) });
    return timer;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  get pending() {
    return this.#timers.size;
  }

  /** Lets time pass; timers run in order, each at its moment. */
  async pass(ms) {
    const end = this.#now + ms;
    await settled();
    for (let due = this.#nextUntil(end); due; due = this.#nextUntil(end)) {
      this.#now = Math.max(this.#now, due.at);
      this.#timers.delete(due.timer);
      due.act();
      await settled();
    }
    this.#now = end;
  }

  /** Time passes without a timer. */
  sleep(ms) {
    this.#now += ms;
  }

  #nextUntil(end) {
    const due = [...this.#timers].map(([timer, { act, at }]) => ({ timer, act, at })).filter(({ at }) => at <= end);
    return due.sort((a, b) => a.at - b.at || a.timer - b.timer)[0];
  }
}

/** Lets every promise that can go on go on. */
export async function settled() {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

/** A constructor of sockets that a test opens, feeds and closes. */
export function fakeWebSockets() {
  const sockets = [];
  class FakeWebSocket {
    /** A lively server answers heartbeats. */
    static isLively = false;

    bufferedAmount = 0;
    sent = [];
    closedWith = null;

    /** As a browser has it: subprotocols are tokens, each once. */
    constructor(url, protocols) {
      const names = [protocols ?? []].flat();
      const isGood = names.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)) && new Set(names).size === names.length;
      if (!isGood) throw new SyntaxError(`not subprotocols: ${names}`);
      Object.assign(this, { url, protocols });
      sockets.push(this);
    }

    send(data) {
      this.sent.push(data);
      if (FakeWebSocket.isLively && data.includes?.('"heartbeat"')) queueMicrotask(() => this.onmessage({ data }));
    }

    close(code) {
      this.closedWith ??= code;
    }

    get frames() {
      return this.sent.filter((data) => typeof data === "string").map((data) => JSON.parse(data));
    }

    framesOf(type) {
      return this.frames.filter((frame) => frame.type === type);
    }

    /** The server says something: frames, one a line. */
    says(...frames) {
      this.onmessage({ data: frames.map((frame) => JSON.stringify(frame)).join("\n") });
    }

    saysRaw(data) {
      this.onmessage({ data });
    }

    greets({ name = "alice", ...rest } = {}) {
      this.onopen?.({});
      this.says({ type: "hello", name, heartbeat: { interval: 10, timeout: 5 }, rooms: [], ...rest });
    }

    breaks(code = 1006) {
      this.onclose({ code });
    }
  }
  return { FakeWebSocket, sockets, latest: () => sockets.at(-1) };
}

export class FakeNetwork {
  #listeners = { wake: [], offline: [] };
  online = true;

  isOnline() {
    return this.online;
  }

  on(name, listener) {
    this.#listeners[name].push(listener);
  }

  wakes() {
    this.online = true;
    this.#listeners.wake.forEach((listener) => listener());
  }

  goesOffline() {
    this.online = false;
    this.#listeners.offline.forEach((listener) => listener());
  }
}

/** Web Locks: one holder of a name at a time, the others in line. */
export class FakeLocks {
  #tails = new Map();

  async request(name, { signal }, act) {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const mine = this.#inLine(before, signal, act);
    this.#tails.set(
      name,
      mine.catch(() => {}),
    );
    return mine;
  }

  async #inLine(before, signal, act) {
    const aborted = new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    await Promise.race([before, aborted]);
    return act();
  }
}

/** The channel between the tabs of one browser. */
export function fakeChannels() {
  const channels = [];
  return function openChannel() {
    const channel = {
      onmessage: null,
      postMessage: (data) =>
        channels
          .filter((other) => other !== channel)
          .forEach((other) => queueMicrotask(() => other.onmessage?.({ data }))),
    };
    channels.push(channel);
    return channel;
  };
}

/** Numbers that look random and are the same for the same seed. */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
