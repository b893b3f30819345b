/** Formatted text and times, and texts cut at Unicode characters. */

/**
 * Cuts a text at spans [start, end). The service counts Unicode characters, and JavaScript UTF-16 units, so an emoji
 * before a span would move it.
 *
 * Returns pieces {text, spans}, in order; `spans` has the indexes of the spans that cover the piece.
 */
export function cut(text, spans) {
  const characters = Array.from(text);
  const inside = (n) => Math.min(Math.max(n, 0), characters.length);
  const bounded = spans.map(({ start, end }) => ({ start: inside(start), end: inside(end) }));
  const edges = new Set([0, characters.length]);
  for (const { start, end } of bounded) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  const pieces = [];
  for (let n = 0; n + 1 < sorted.length; n += 1) {
    const [from, to] = [sorted[n], sorted[n + 1]];
    const covering = bounded.flatMap(({ start, end }, index) => (start <= from && to <= end ? [index] : []));
    pieces.push({ text: characters.slice(from, to).join(""), spans: covering });
  }
  return pieces;
}

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "short" });

/** The day of a time in milliseconds since 1970. */
export const day = (ms) => DAY.format(new Date(ms));

/** The day and the time of day. */
export const minute = (ms) => MINUTE.format(new Date(ms));

/** A time span: "31 ms", "2.4 s". */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** A count with its noun: "1 source", "3 sources". */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
