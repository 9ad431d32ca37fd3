/** C0, DEL, C1, marks of direction, and what separates lines or paragraphs. */
const ACTING = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

/** `text` of a program with what could act on a terminal that shows it made visible. */
export function shownText(text: string): string {
  return text.replace(ACTING, '\ufffd');
}

/** `text` of a program without what could act on a terminal that shows it. */
export function strippedText(text: string): string {
  return text.replace(ACTING, '');
}

/** The first `max` UTF-16 units of `text`, without half a character at the end. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  return text.slice(0, max).replace(/[\ud800-\udbff]$/, '');
}
