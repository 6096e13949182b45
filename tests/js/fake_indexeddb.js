// As much of IndexedDB as the outbox uses: what is stored outlives the page, transactions run one after another.

export class FakeIndexedDB {
  #databases = new Map();
  isBroken = false;
  isPageGone = false;

  open(name) {
    const request = {};
    queueMicrotask(() => {
      if (this.isBroken) return request.onerror?.();
      const isNew = !this.#databases.has(name);
      if (isNew) this.#databases.set(name, new Database(this));
      request.result = this.#databases.get(name);
      if (isNew) request.onupgradeneeded();
      request.onsuccess();
    });
    return request;
  }
}

class Database {
  #stores = new Map();
  #turn = Promise.resolve();
  #factory;

  constructor(factory) {
    this.#factory = factory;
  }

  createObjectStore(name, options) {
    const store = new Store(options);
    this.#stores.set(name, store);
    return store;
  }

  close() {}

  transaction(name) {
    if (this.#factory.isBroken) throw new Error("the database is gone");
    const transaction = { isCommitted: false, commit: () => (transaction.isCommitted = true) };
    const view = new TransactionStore(this.#stores.get(name), transaction);
    transaction.objectStore = () => view;
    this.#turn = this.#turn.then(() => this.#run(view, transaction));
    return transaction;
  }

  /** Who leaves takes along what was not committed. */
  async #run(view, transaction) {
    if (this.#factory.isPageGone && !transaction.isCommitted) return;
    await view.run();
    if (!this.#factory.isPageGone) transaction.oncomplete();
  }
}

class Store {
  rows = new Map();
  indexes = new Map();
  lastKey = 0;

  constructor({ keyPath, autoIncrement = false }) {
    Object.assign(this, { keyPath, autoIncrement });
  }

  createIndex(name, path) {
    this.indexes.set(name, path);
  }

  keyOf(row) {
    if (Array.isArray(this.keyPath)) return JSON.stringify(this.keyPath.map((path) => row[path]));
    if (row[this.keyPath] === undefined && this.autoIncrement) row[this.keyPath] = ++this.lastKey;
    return row[this.keyPath];
  }

  put(value) {
    const row = structuredClone(value);
    this.rows.set(this.keyOf(row), row);
  }

  all() {
    return [...this.rows].sort(([a], [b]) => a - b).map(([, row]) => structuredClone(row));
  }
}

class TransactionStore {
  #store;
  #waiting = [];

  constructor(store, transaction) {
    this.#store = store;
    this.transaction = transaction;
  }

  async run() {
    while (this.#waiting.length > 0) {
      await Promise.resolve();
      const { request, act } = this.#waiting.shift();
      request.result = act();
      request.onsuccess?.();
    }
  }

  add(row) {
    return this.#later(() => this.#store.put(row));
  }

  put(row) {
    return this.#later(() => this.#store.put(row));
  }

  get(key) {
    return this.#later(() => this.#store.rows.get(JSON.stringify(key)));
  }

  delete(key) {
    return this.#later(() => this.#store.rows.delete(Array.isArray(key) ? JSON.stringify(key) : key));
  }

  index(name) {
    const path = this.#store.indexes.get(name);
    const matching = (value) => this.#store.all().filter((row) => row[path] === value);
    return {
      getAll: (value) => this.#later(() => matching(value)),
      get: (value) => this.#later(() => matching(value)[0]),
      getKey: (value) => this.#later(() => matching(value)[0]?.[this.#store.keyPath]),
    };
  }

  #later(act) {
    const request = {};
    this.#waiting.push({ request, act });
    return request;
  }
}
