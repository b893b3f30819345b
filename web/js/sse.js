/** Reads server-sent events from a response's body, as the HTML standard parses them. */

/** Yields {event, data} for each event. Comments, which are heartbeats, yield nothing. */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = "";
  let data = [];
  let afterReturn = false; // a line feed that follows belongs to the same line end
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return; // an event without its empty line was cut off, and is dropped
      if (value === "") continue;
      const lines = (rest + (afterReturn && value.startsWith("\n") ? value.slice(1) : value)).split(/\r\n|\r|\n/);
      afterReturn = value.endsWith("\r");
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
          event = "";
          data = [];
          continue;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const content = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event = content;
        else if (field === "data") data.push(content);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
