// What the page knows: the last picture of the monitor, kept up to date by the stream.

import { milliseconds } from "/assets/format.js";

const KEPT = 200;

/** Topics: market, books, book, orders, alerts, health, connection, history, selection. */
export class Store {
  #listeners = new Map();
  #clock = null;

  /** The last StateView, or null before the first. */
  state = null;
  /** BookView of the chosen book, or null while it is fetched or when there is none. */
  book = null;
  /** Name of the chosen book, or null without books. */
  selected = null;
  /** HistoryViews of market and book. */
  history = { market: null, book: null };
  /** `connecting`, `live` or `lost`, and when the last event came (server's clock, ms). */
  connection = { state: "connecting", lastEvent: null };
  /** When the last data of the market came (page's monotonic clock, ms), or null. */
  #dataAt = null;

  /** Call a function whenever a topic changes. */
  on(topics, listener) {
    for (const topic of topics.split(" ")) {
      this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), listener]);
    }
  }

  tell(...topics) {
    for (const listener of new Set(topics.flatMap((topic) => this.#listeners.get(topic) ?? []))) {
      listener();
    }
  }

  /** Take an event of the stream. */
  receive(event, value) {
    const take = {
      state: () => this.#takeState(value),
      market: () => this.#takeMarket(value),
      books: () => this.#takeBooks(value),
      book: () => this.#takeBook(value),
      orders: () => this.#takeOrders(value),
      alerts: () => this.#takeAlerts(value),
      health: () => this.#takeHealth(value),
    }[event];
    if (take !== undefined && (this.state !== null || event === "state")) {
      take();
    }
  }

  /** The server's wall clock now, ms, or null before it was heard. */
  now() {
    return this.#clock === null ? null : this.#clock.server + performance.now() - this.#clock.here;
  }

  /** The instant that ages of market data are measured from: a replay has its own time. */
  marketNow() {
    return this.state?.clock === "feed" ? milliseconds(this.state.market.event_time) : this.now();
  }

  /** Seconds since data of the market came, by the wall clock; null before. */
  dataAge() {
    return this.#dataAt === null ? null : (performance.now() - this.#dataAt) / 1000;
  }

  /** Age of an instant of market data, seconds. */
  age(instant) {
    const [now, then] = [this.marketNow(), milliseconds(instant)];
    return now === null || then === null ? null : Math.max(0, now - then) / 1000;
  }

  select(book) {
    if (this.selected !== book) {
      this.selected = book;
      this.book = null;
      this.history.book = null;
      this.tell("selection", "book", "books", "orders", "history");
    }
  }

  setConnection(state) {
    if (this.connection.state !== state) {
      this.connection = { ...this.connection, state };
      this.tell("connection");
    }
  }

  setHistory(which, view) {
    this.history[which] = view;
    this.tell("history");
  }

  /** Note that the server is heard. */
  heard() {
    this.connection = { ...this.connection, lastEvent: this.now() };
  }

  #takeState(value) {
    this.#clock = { server: milliseconds(value.as_of), here: performance.now() };
    this.state = {
      ...value,
      books: [...value.books],
      orders: [...value.orders],
      alerts: [...value.alerts],
    };
    const names = value.books.map((each) => each.book);
    this.#noteDataAge(value.health);
    if (!names.includes(this.selected)) {
      this.select(names[0] ?? null);
    }
    this.tell("state", "market", "books", "orders", "alerts", "health");
  }

  #takeMarket(value) {
    if (youngest(value) !== youngest(this.state.market)) {
      this.#dataAt = performance.now();
    }
    this.state.market = value;
    this.tell("market");
  }

  #takeBooks(changed) {
    this.state.books = merged(this.state.books, changed, (each) => each.book);
    this.tell("books");
  }

  #takeBook(value) {
    if (value.summary.book === this.selected) {
      this.book = value;
      this.state.books = merged(this.state.books, [value.summary], (each) => each.book);
      this.tell("book", "books");
    }
  }

  #takeOrders(changed) {
    const all = merged(this.state.orders, changed, (each) => each.order_id);
    const newestFirst = (one, other) =>
      milliseconds(other.decided_time) - milliseconds(one.decided_time);
    this.state.orders = all.sort(newestFirst).slice(0, KEPT);
    this.tell("orders");
  }

  #takeAlerts(added) {
    const all = merged(this.state.alerts, added, (each) => each.number);
    this.state.alerts = all.sort((one, other) => other.number - one.number).slice(0, KEPT);
    this.tell("alerts");
  }

  #takeHealth(value) {
    this.state.health = value;
    this.#noteDataAge(value);
    this.tell("health");
  }

  #noteDataAge(health) {
    const age = health.data_age_s;
    this.#dataAt = age === null ? null : performance.now() - age * 1000;
  }
}

/** When the youngest print is of: the clock goes on without any. */
function youngest(market) {
  const times = Object.values(market.signals).map((each) => milliseconds(each.event_time) ?? 0);
  return Math.max(0, ...times);
}

/** The old ones, those that changed in their place, and what is new first. */
function merged(old, changed, keyOf) {
  const changes = new Map(changed.map((each) => [keyOf(each), each]));
  const kept = old.map((each) => {
    const change = changes.get(keyOf(each));
    changes.delete(keyOf(each));
    return change ?? each;
  });
  return [...changes.values(), ...kept];
}
