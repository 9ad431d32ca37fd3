/** What was dropped or chosen. */
export interface DroppedFiles {
  readonly files: readonly File[];
  /** Names of folders, which are not uploaded. */
  readonly folders: readonly string[];
}

/** Whether a drag over the page carries files of the person's own machine. */
export function carriesFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') === true;
}

/** What was dropped. To be read at once: the browser takes it away after the event. */
export function droppedFiles({ dataTransfer }: DragEvent): DroppedFiles {
  const files: File[] = [];
  const folders: string[] = [];
  for (const item of dataTransfer?.items ?? []) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory === true) folders.push(entry.name);
    else if (file !== null) files.push(file);
  }
  return { files, folders };
}

/** Lets the person choose files. Absent answer: none were chosen. */
export function chooseFiles(chosen: (files: DroppedFiles) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.hidden = true;
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.remove();
    if (files.length > 0) chosen({ files, folders: [] });
  });
  input.addEventListener('cancel', () => {
    input.remove();
  });
  // Some browsers open nothing for an input that is not in the document.
  document.body.append(input);
  input.click();
}
