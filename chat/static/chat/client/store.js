// Where the outbox is kept: in the browser's storage, or as long as the page lasts.

const DATABASE = "chatsite";
const DATABASE_VERSION = 1;
const OPENING_PATIENCE_MS = 10_000;

/** The store of a page that may keep nothing. */
export class MemoryStore {
  #entries;
  #drafts = new Map();

  constructor(entries = []) {
    this.#entries = new Map(entries.map((entry) => [entry.nonce, entry]));
  }

  all(user) {
    return [...this.#entries.values()].filter((entry) => entry.user === user);
  }

  add(entry) {
    this.#entries.set(entry.nonce, entry);
  }

  change(nonce, changes) {
    this.#entries.set(nonce, { ...this.#entries.get(nonce), ...changes });
  }

  remove(nonce) {
    this.#entries.delete(nonce);
  }

  draft(user, room) {
    return this.#drafts.get(`${user}/${room}`) ?? "";
  }

  saveDraft(user, room, text) {
    this.#drafts.set(`${user}/${room}`, text);
  }
}

/** The store that survives a reload and is shared by tabs: IndexedDB, which numbers the entries in order. */
class IndexedStore {
  #database;

  constructor(database) {
    this.#database = database;
    database.onversionchange = () => database.close();
  }

  all(user) {
    return this.#run("entries", "readonly", (entries) => entries.index("user").getAll(user));
  }

  add(entry) {
    return this.#runAtOnce("entries", (entries) => entries.add(entry));
  }

  change(nonce, changes) {
    return this.#run("entries", "readwrite", (entries) => {
      const found = entries.index("nonce").get(nonce);
      found.onsuccess = () => found.result && entries.put({ ...found.result, ...changes });
      return found;
    });
  }

  remove(nonce) {
    return this.#run("entries", "readwrite", (entries) => {
      const found = entries.index("nonce").getKey(nonce);
      found.onsuccess = () => found.result !== undefined && entries.delete(found.result);
      return found;
    });
  }

  async draft(user, room) {
    const draft = await this.#run("drafts", "readonly", (drafts) => drafts.get([user, room]));
    return draft?.text ?? "";
  }

  saveDraft(user, room, text) {
    const save = (drafts) => (text ? drafts.put({ user, room, text }) : drafts.delete([user, room]));
    return this.#runAtOnce("drafts", save);
  }

  /** Does not wait for the page to hear that it is done: the page may be gone by then. */
  #runAtOnce(name, ask) {
    return this.#run(name, "readwrite", (things) => {
      const request = ask(things);
      things.transaction.commit();
      return request;
    });
  }

  #run(name, mode, ask) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(name, mode);
      const request = ask(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** A browser may throw for the very question, where storage is forbidden. */
export function browserStorage(globals) {
  try {
    return globals.indexedDB;
  } catch {
    return undefined;
  }
}

/** A browser that will not say whether it can store is taken for one that cannot; a busy one may take seconds. */
export function openStore(indexedDB, clock) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, DATABASE_VERSION);
    request.onupgradeneeded = () => createStores(request.result);
    request.onsuccess = () => resolve(new IndexedStore(request.result));
    request.onerror = request.onblocked = () => reject(request.error);
    clock.setTimeout(() => reject(new Error("storage does not answer")), OPENING_PATIENCE_MS);
  });
}

function createStores(database) {
  const entries = database.createObjectStore("entries", { keyPath: "order", autoIncrement: true });
  entries.createIndex("user", "user");
  entries.createIndex("nonce", "nonce", { unique: true });
  database.createObjectStore("drafts", { keyPath: ["user", "room"] });
}
