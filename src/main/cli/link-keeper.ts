import { once, type Closable } from '../../shared/common/index.js';
import type { WorkspaceLink } from './workspace-link.js';

/** Keeps one connection to an agent and opens the next when it is lost, on demand. */
export class LinkKeeper implements Closable {
  readonly #open: () => Promise<WorkspaceLink>;
  #current: Promise<WorkspaceLink> | undefined;
  #closed = false;

  constructor(open: () => Promise<WorkspaceLink>) {
    this.#open = open;
  }

  /** The connection that stands, or a new one. Callers at the same time get the same. */
  get(): Promise<WorkspaceLink> {
    return (this.#current ??= this.#connect());
  }

  readonly close = once(async () => {
    this.#closed = true;
    await this.#current?.then(
      (link) => link.close(),
      () => undefined,
    );
  });

  #connect(): Promise<WorkspaceLink> {
    const opening = this.#open();
    const forget = (): void => {
      if (this.#current === opening) this.#current = undefined;
    };
    opening.then(async (link) => {
      if (this.#closed) await link.close();
      await link.closed;
      forget();
    }, forget);
    return opening;
  }
}
