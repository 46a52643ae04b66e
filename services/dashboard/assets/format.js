// Numbers, ages and times as people read them. What is unknown is a dash, never a zero.

export const UNKNOWN = "–";

const formats = new Map();

function formatOf(least, most) {
  const key = `${least}.${most}`;
  if (!formats.has(key)) {
    formats.set(
      key,
      new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }),
    );
  }
  return formats.get(key);
}

const isKnown = (value) => typeof value === "number" && Number.isFinite(value);

/** A number with thousands separators and so many decimals. */
export function number(value, decimals = 0) {
  if (!isKnown(value)) {
    return UNKNOWN;
  }
  const text = formatOf(decimals, decimals).format(value).replace("-", "−");
  return /^−[0.,]*$/.test(text) ? text.slice(1) : text;
}

/** A text that was written without, with its thousands apart. */
export const spaced = (text) =>
  text.replace(/(?<![\d.,:-])\d{4,}(?![\d:-])/g, (digits) => number(Number(digits)));

/** How many of something: 1 tick · 41 ticks. */
export const counted = (count, name) => `${number(count)} ${name}${count === 1 ? "" : "s"}`;

/** The same with its sign, plus or minus. */
export function signed(value, decimals = 0) {
  const text = number(value, decimals);
  return isKnown(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A share as a percentage. */
export const percent = (value, decimals = 1) =>
  isKnown(value) ? `${number(value * 100, decimals)}%` : UNKNOWN;

/** As many decimals as tell something: 1,234 · 12.3 · 0.0123. */
export function plain(value) {
  if (!isKnown(value)) {
    return UNKNOWN;
  }
  const size = Math.abs(value);
  if (size === 0 || (Number.isInteger(value) && size < 1e15)) {
    return number(value);
  }
  return number(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 4 : 6);
}

const SCALES = [
  [1e9, "bn"],
  [1e6, "m"],
  [1e3, "k"],
];

/** Three digits and a scale: +1.25 m, −310 k. */
export function short(value) {
  if (!isKnown(value)) {
    return UNKNOWN;
  }
  const [scale, name] = SCALES.find(([least]) => Math.abs(value) >= least * 0.9995) ?? [1, ""];
  const scaled = value / scale;
  const decimals = Math.abs(scaled) >= 99.95 || scale === 1 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
  return signed(scaled, decimals) + (name && `\u202f${name}`);
}

/** How long: 4 s · 7 min 12 s · 3 h 05 min · 2 d 4 h. */
export function duration(seconds) {
  if (!isKnown(seconds)) {
    return UNKNOWN;
  }
  const s = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  }
  if (s < 86400) {
    return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  }
  return `${number(Math.floor(s / 86400))} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** An instant of the wire as milliseconds since the epoch, or null. */
export function milliseconds(instant) {
  const parsed = instant === null || instant === undefined ? NaN : Date.parse(instant);
  return Number.isNaN(parsed) ? null : parsed;
}

const iso = (ms) => new Date(ms).toISOString();

/** Time of day, UTC: 20:31:04. */
export const timeOfDay = (ms) => (ms === null ? UNKNOWN : iso(ms).slice(11, 19));

/** Day and time, UTC: 2018-02-05 20:31:04. */
export const dayAndTime = (ms) =>
  ms === null ? UNKNOWN : `${iso(ms).slice(0, 10)} ${iso(ms).slice(11, 19)}`;

/** Day and minute without the year, UTC: 02-05 20:31. */
export const minuteOf = (ms) =>
  ms === null ? UNKNOWN : `${iso(ms).slice(5, 10)} ${iso(ms).slice(11, 16)}`;

/** A name of the wire for people: `floor_and_cap` → floor and cap. */
export const words = (name) => name.replaceAll("_", " ");
