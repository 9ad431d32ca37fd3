import { el } from '../dom.js';
import { carriesFiles, droppedFiles, type DroppedFiles } from './dropped-files.js';

export interface DropTargetOptions {
  readonly isAllowed: () => boolean;
  readonly dropped: (files: DroppedFiles) => void;
}

/** Lets files be dropped onto `element` and says so while some are over it. Returns how to stop. */
export function acceptFiles(
  element: HTMLElement,
  { isAllowed, dropped }: DropTargetOptions,
): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const hint = el('div', { class: 'drop-hint', 'aria-hidden': 'true' });
  /** Enters minus leaves: each element within is entered by itself. */
  let depth = 0;
  const end = (): void => {
    depth = 0;
    hint.remove();
  };
  element.addEventListener(
    'dragenter',
    (event) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      hint.textContent = isAllowed()
        ? 'Drop to upload into the workspace'
        : 'Uploading is not allowed here';
      element.append(hint);
    },
    { signal },
  );
  element.addEventListener(
    'dragleave',
    (event) => {
      if (!carriesFiles(event)) return;
      depth -= 1;
      if (depth <= 0) end();
    },
    { signal },
  );
  element.addEventListener(
    'drop',
    (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      end();
      if (isAllowed()) dropped(droppedFiles(event));
    },
    { signal },
  );
  return () => {
    abort.abort();
    hint.remove();
  };
}

/** A file that misses its target must not take the place of the page. For as long as it lives. */
export function keepPageOnDrop(): void {
  for (const type of ['dragover', 'drop'] as const) {
    addEventListener(type, (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      const isTarget = event.target instanceof Element && event.target.closest('.pane-body');
      if (event.dataTransfer !== null && !isTarget) event.dataTransfer.dropEffect = 'none';
    });
  }
}
