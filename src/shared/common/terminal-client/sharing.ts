import type { Clock } from '../clock.js';
import { VIEWER_ASK_MS, VIEWER_LATENCY_MS } from '../limits.js';
import {
  parsePresence,
  parseViewerEvent,
  type Presence,
  type TerminalSettings,
  type ViewerControl,
} from '../wire/index.js';
import type { TerminalClientHandlers } from './types.js';

/** The attachment that stands: what is sent on it, and timers that end with it. */
export interface SharingLink {
  send(control: ViewerControl): void;
  after(ms: number, callback: () => void): void;
  /** This client was attached before. */
  readonly again: boolean;
}

export interface SharingOptions {
  readonly clock: Clock;
  readonly handlers: Pick<TerminalClientHandlers, 'presence' | 'event' | 'latency' | 'error'>;
}

/**
 * What a client knows of the others at its terminal, and what it has to say again after a lost channel: to
 * the agent each attachment is a new viewer, to the person it is still the same.
 */
export class Sharing {
  readonly #options: SharingOptions;
  #link: SharingLink | undefined;
  #presence: Presence | undefined;
  /** It asked for the size and nobody has taken it since. */
  #claimsSize = false;
  /** It had the control when the channel was lost. */
  #drives = false;
  #probe = 0;
  #probedAt = 0;
  #latencyMs: number | undefined;

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  /** Who is there, as of the present attachment. Absent: not told yet. */
  get presence(): Presence | undefined {
    return this.#presence;
  }

  /** The last measured round trip, in ms. Absent: none yet. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /** Who else has the control, so that nothing this client types is taken. Absent: nobody. */
  get otherDriver(): string | undefined {
    const { driver, you, names } = this.#presence ?? { names: [] };
    if (driver === undefined || driver === you) return undefined;
    return names.find(({ id }) => id === driver)?.subject ?? `viewer ${String(driver)}`;
  }

  /**
   * Asks for something among the viewers of the terminal. What is refused is told to the `error` handler.
   * False, and nothing is asked, while not attached.
   */
  control(control: ViewerControl): boolean {
    if (this.#link === undefined) return false;
    if (control.type === 'claim-size') this.#claimsSize = true;
    if (control.type === 'release-size') this.#claimsSize = false;
    if (control.type === 'release-control' || control.type === 'hand-over') this.#drives = false;
    this.#link.send(control);
    return true;
  }

  /** Settings are about to be asked for; `mine` among them is a claim as well. */
  noteSettings({ sizePolicy }: TerminalSettings): void {
    if (sizePolicy !== undefined) this.#claimsSize = sizePolicy === 'mine';
  }

  attached(link: SharingLink): void {
    this.#link = link;
    if (link.again && this.#claimsSize) link.send({ type: 'claim-size' });
    link.after(VIEWER_ASK_MS, () => {
      this.#measure(link);
    });
  }

  detached(): void {
    this.#link = undefined;
    this.#presence = undefined;
  }

  receivePresence(json: string): void {
    const presence = parsePresence(json);
    if (presence === undefined) return;
    const { you, driver, sizeOwner, sizePolicy } = presence;
    const before = this.#presence;
    this.#presence = presence;
    const hadSize = before?.sizePolicy === 'mine' && before.sizeOwner === before.you;
    if (hadSize && (sizePolicy !== 'mine' || sizeOwner !== you)) this.#claimsSize = false;
    if (this.#drives && before === undefined && driver === undefined && you !== undefined) {
      this.#link?.send({ type: 'hand-over', viewer: you });
    } else {
      this.#drives = you !== undefined && driver === you;
    }
    this.#options.handlers.presence?.(presence);
  }

  receiveEvent(json: string): void {
    const event = parseViewerEvent(json);
    if (event === undefined) return;
    if (event.type === 'probe') this.#measured(event.probe);
    else if (event.type === 'refused') {
      this.#options.handlers.error?.({ code: event.code, message: event.message });
    } else this.#options.handlers.event?.(event);
  }

  #measure(link: SharingLink): void {
    const ms = this.#latencyMs;
    this.#probe += 1;
    this.#probedAt = this.#options.clock.now();
    link.send({ type: 'latency', ...(ms === undefined ? {} : { ms }), probe: this.#probe });
    link.after(VIEWER_LATENCY_MS, () => {
      this.#measure(link);
    });
  }

  #measured(probe: number): void {
    // An answer to an older probe says how long it waited, not how long the way is.
    if (probe !== this.#probe) return;
    const first = this.#latencyMs === undefined;
    const ms = Math.max(0, Math.round(this.#options.clock.now() - this.#probedAt));
    this.#latencyMs = ms;
    // Later ones go with the next probe, so that there is one message for both.
    if (first) this.#link?.send({ type: 'latency', ms });
    this.#options.handlers.latency?.(ms);
  }
}
