// Readings as they are committed: server-sent events over fetch, since EventSource cannot send a token.

import { Problem, send, target } from "./client.js";

const firstPauseMilliseconds = 500;
const longestPauseMilliseconds = 8000;
/// A stream says something each second; one that is silent for so long is dead.
const silenceMilliseconds = 20000;

/// Splits a stream of text into events. Source: HTML Living Standard, 9.2.6.
export class EventParser {
  #rest = "";
  #event = { name: "message", data: [] };
  lastID = null;

  /// The whole events of this piece: `{name, data}`.
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    return lines.map((line) => this.#take(line)).filter((event) => event);
  }

  #take(line) {
    if (line === "") {
      const { name, data } = this.#event;
      this.#event = { name: "message", data: [] };
      return data.length ? { name, data: data.join("\n") } : null;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event.name = value;
    else if (field === "data") this.#event.data.push(value);
    else if (field === "id") this.lastID = value;
    return null;
  }
}

/// One stream that reconnects by itself, and resumes where it was, until it is closed.
export class LiveStream {
  #parser = new EventParser();
  #abort = new AbortController();
  #pause = firstPauseMilliseconds;

  /// - parameters: of `/api/v1/live`.
  /// - on: `reading({device, time, values})`, `gap({dropped})`, `state("connecting" | "open" | "lost", Problem?)`; each may be missing.
  constructor(parameters, on) {
    this.url = target("/api/v1/live", parameters);
    this.on = on;
    this.#run();
  }

  close() { this.#abort.abort(); }

  async #run() {
    const signal = this.#abort.signal;
    while (!signal.aborted) {
      this.on.state?.("connecting");
      try {
        await this.#read(signal);
        this.on.state?.("lost");
      } catch (error) {
        if (signal.aborted) return;
        this.on.state?.("lost", error instanceof Problem ? error : new Problem(0, "The live stream was cut", error.message));
      }
      await new Promise((resolve) => setTimeout(resolve, this.#pause * (0.75 + Math.random() / 2)));
      this.#pause = Math.min(longestPauseMilliseconds, this.#pause * 2);
    }
  }

  async #read(signal) {
    const resume = this.#parser.lastID === null ? {} : { "Last-Event-ID": this.#parser.lastID };
    const response = await send(this.url, { signal, headers: { Accept: "text/event-stream", ...resume } });
    this.on.state?.("open");
    this.#pause = firstPauseMilliseconds;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await this.#withinSilence(reader);
      if (done) return;
      for (const event of this.#parser.push(value)) this.#tell(event);
    }
  }

  async #withinSilence(reader) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("Nothing was heard for too long.")), silenceMilliseconds);
    });
    try {
      return await Promise.race([reader.read(), silence]);
    } catch (error) {
      reader.cancel().catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #tell({ name, data }) {
    if (name === "reading") this.on.reading?.(JSON.parse(data));
    else if (name === "gap") this.on.gap?.(JSON.parse(data));
  }
}
