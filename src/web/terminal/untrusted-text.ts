const TITLE_CHARACTERS = 128;

/**
 * A title that a program chose, made safe to show: no control characters (a title echoed back into a
 * shell would otherwise run), no characters that reorder or hide the text around them, at most 128.
 */
export function cleanTitle(title: string): string {
  const visible = title.replace(
    /[\u0000-\u001f\u007f-\u009f]|\p{Bidi_Control}|\p{Cf}|\p{Zl}|\p{Zp}/gu,
    '',
  );
  return Array.from(visible).slice(0, TITLE_CHARACTERS).join('').trim();
}

/**
 * Text from the clipboard, made safe to paste: the brackets of a bracketed paste are left out, and other
 * characters that press keys are shown as their symbols; tabs and line ends stay.
 */
export function cleanPaste(text: string): string {
  return text
    .replace(/(?:\u001b\[|\u009b)20[01]~/g, '')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\u2421';
    });
}

const LINK_PROTOCOLS = new Set(['http:', 'https:', 'mailto:']);

/** The address of a link in output, if it is of a kind that is safe to open. */
export function safeLink(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return LINK_PROTOCOLS.has(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}
