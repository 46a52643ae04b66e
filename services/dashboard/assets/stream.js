// Keeps the stream of events open. The browser opens a broken one again by itself and says what it
// heard last; where it gives up, or where nothing is heard and the server does not answer, a new
// one is opened here.

import { at } from "/assets/dom.js";
import { paced } from "/assets/pace.js";

const EVENTS = ["state", "market", "books", "book", "orders", "alerts", "health"];
const RETRY_MS = 1000;
const SILENT_MS = 15_000;
const ANSWER_MS = 4000;

export class Stream {
  #store;
  #source = null;
  #book = null;
  #lastHeard = performance.now();
  #retry = null;

  constructor(store) {
    this.#store = store;
    store.on("selection", () => this.#follow());
    setInterval(() => this.#probe(), 5000);
  }

  open() {
    this.#close();
    this.#book = this.#store.selected;
    const query = this.#book === null ? "" : `?book=${encodeURIComponent(this.#book)}`;
    const source = new EventSource(`/api/v1/stream${query}`);
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => this.#take(event, message.data));
    }
    source.addEventListener("open", () => this.#heard());
    source.addEventListener("error", () => this.#lost(source));
    this.#source = source;
  }

  #take(event, data) {
    this.#store.receive(event, JSON.parse(data));
    this.#heard();
  }

  #heard() {
    this.#lastHeard = performance.now();
    this.#store.heard();
    this.#store.setConnection("live");
  }

  #lost(source) {
    this.#store.setConnection("lost");
    if (source.readyState === EventSource.CLOSED) {
      this.#openSoon();
    }
  }

  #openSoon() {
    this.#retry ??= setTimeout(() => this.open(), RETRY_MS);
  }

  #close() {
    clearTimeout(this.#retry);
    this.#retry = null;
    this.#source?.close();
  }

  // The first state names the books: the stream of the first one is opened then.
  #follow() {
    if (this.#source !== null && this.#book !== this.#store.selected) {
      this.open();
    }
  }

  // A server that hangs closes nothing, and its comments are not told to scripts.
  async #probe() {
    if (performance.now() - this.#lastHeard < SILENT_MS || this.#store.connection.state === "lost") {
      return;
    }
    try {
      await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      this.#lastHeard = performance.now();
      this.#store.heard();
    } catch {
      this.#store.setConnection("lost");
      this.open();
    }
  }
}

/** Fetch JSON of the API; null when it is not to be had. */
export async function fetched(path) {
  try {
    const response = await fetch(path, { headers: { Accept: "application/json" } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

const POINTS = 600;

/** Fetches the histories that the charts begin with, again when the range or the book changes. */
export class Histories {
  #store;
  #ask;

  #decision = null;
  #isChosen = false;

  constructor(store) {
    this.#store = store;
    this.hours = 24;
    store.on("state", () => this.#suitReplay());
    this.#ask = paced(() => this.#fetch(), 2000);
    store.on("selection state", this.#ask);
    store.on("book", () => this.#followDecisions());
    setInterval(this.#ask, 60_000);
    setInterval(() => store.state?.clock === "feed" && this.#ask(), 5000); // a day is a moment
  }

  setHours(hours) {
    this.#isChosen = true;
    this.hours = hours;
    this.#ask();
  }

  /** A replay shows a month unless told otherwise: of daily bars a day is a point. */
  #suitReplay() {
    if (!this.#isChosen && this.#store.state?.clock === "feed") {
      this.hours = 744;
      at("range").value = String(this.hours);
    }
  }

  #followDecisions() {
    const decision = `${this.#store.selected} ${this.#store.book?.target?.decision}`;
    if (this.#store.book !== null && decision !== this.#decision) {
      this.#decision = decision;
      this.#ask();
    }
  }

  async #fetch() {
    const query = `hours=${this.hours}&points=${POINTS}`;
    const book = this.#store.selected;
    const market = await fetched(`/api/v1/signals/history?${query}`);
    if (market !== null) {
      this.#store.setHistory("market", market);
    }
    if (book !== null) {
      const own = await fetched(`/api/v1/books/${encodeURIComponent(book)}/history?${query}`);
      if (own !== null && book === this.#store.selected) {
        this.#store.setHistory("book", own);
      }
    }
  }
}
