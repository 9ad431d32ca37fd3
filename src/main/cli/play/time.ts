/** `90`, `1:30`, `1:00:30` or `1:30.5` in ms. Absent: it is no time. */
export function parseTime(text: string): number | undefined {
  const match = /^(?:(?:([0-9]{1,4}):)?([0-9]{1,4}):)?([0-9]{1,6}(?:\.[0-9]{1,3})?)$/.exec(text);
  if (match === null) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}
