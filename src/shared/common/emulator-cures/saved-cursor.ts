import type { Attributes, Inside } from './inside.js';

/**
 * Saving the cursor (DECSC) leaves out underline style and colour and the link, and restoring it takes those
 * that are in use by then, for a text that has none of them: underlined without an underline, which no other
 * output leads to. Here all are saved and restored, as in VT terminals all attributes are.
 */
export function cureSavedCursor(terminal: object): void {
  const core = (terminal as Inside)._core;
  const input = core?._inputHandler;
  if (input === undefined) return;
  const saved = (): Attributes | undefined => core?._bufferService?.buffer?.savedCurAttrData;
  const keep = (): void => {
    const attributes = saved();
    if (attributes !== undefined) attributes.extended = input._curAttrData.extended.clone();
  };
  const save = input.saveCursor.bind(input);
  input.saveCursor = (params) => {
    keep();
    return save(params);
  };
  const restore = input.restoreCursor.bind(input);
  input.restoreCursor = (params) => {
    const attributes = saved();
    if (attributes !== undefined) input._curAttrData.extended = attributes.extended.clone();
    return restore(params);
  };
  // It saves the attributes of a fresh emulator.
  const softReset = input.softReset.bind(input);
  input.softReset = (params) => {
    const isDone = softReset(params);
    keep();
    return isDone;
  };
}
