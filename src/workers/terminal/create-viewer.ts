import { assertNever, type ByteChannel } from '../../shared/common/index.js';
import type { TerminalStatus, ViewerSpec } from '../../shared/node/ports/index.js';
import { FrameViewer, type TerminalFacts } from './frame-viewer.js';
import type { OutputLog } from './output-log.js';
import { RawViewer } from './raw-viewer.js';
import { RptyViewer } from './rpty-viewer.js';
import type { Viewer, ViewerHost } from './viewer.js';

/** What viewers of one kind or another need of their terminal. */
export interface ViewerSurroundings {
  readonly host: ViewerHost;
  readonly log: OutputLog;
  readonly status: TerminalStatus;
  readonly facts: () => TerminalFacts;
}

/** A viewer that speaks the protocol of `spec` on `channel`; it hears nothing until `start`. */
export function createViewer(
  spec: ViewerSpec,
  channel: ByteChannel,
  { host, log, status, facts }: ViewerSurroundings,
): Viewer & { start(): void } {
  switch (spec.protocol) {
    case 'terminal':
      return new FrameViewer(spec, channel, host, facts);
    case 'reconnecting-pty':
      return new RptyViewer(spec, channel, host, log);
    case 'raw':
      return new RawViewer(spec, channel, host, status);
    default:
      return assertNever(spec.protocol);
  }
}
