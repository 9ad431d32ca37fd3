import { wallNow } from '../../harness/index.js';
import { attachAbduco } from '../sessions/abduco.js';
import { attachDtach } from '../sessions/dtach.js';
import { closeSocket } from '../sessions/packet-socket.js';
import { openTmuxControl } from '../sessions/tmux-control.js';

/** Viewers of a terminal of another program. */
export type OtherViewers =
  | { readonly kind: 'dtach' | 'abduco'; readonly socket: string }
  | { readonly kind: 'tmux-control'; readonly args: readonly string[] };

export interface OtherViewer {
  received: number;
  lastAt: number;
  close(): Promise<void>;
}

/** Attaches `count` of them, one after the other. */
export async function openOthers(spec: OtherViewers, count: number): Promise<OtherViewer[]> {
  const viewers: OtherViewer[] = [];
  for (let made = 0; made < count; made += 1) viewers.push(await openOther(spec));
  return viewers;
}

async function openOther(spec: OtherViewers): Promise<OtherViewer> {
  let close = async (): Promise<void> => undefined;
  const viewer: OtherViewer = { received: 0, lastAt: 0, close: () => close() };
  const handlers = {
    data: (bytes: Uint8Array) => {
      viewer.received += bytes.length;
      viewer.lastAt = wallNow();
    },
    lost: () => undefined,
    end: () => undefined,
  };
  if (spec.kind === 'tmux-control') {
    const session = openTmuxControl(spec.args, handlers);
    close = session.close;
  } else {
    const attach = spec.kind === 'dtach' ? attachDtach : attachAbduco;
    const socket = await attach(spec.socket, handlers);
    close = () => closeSocket(socket);
  }
  return viewer;
}
