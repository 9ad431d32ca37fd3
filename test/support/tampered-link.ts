import type { WorkspaceLink } from '../../src/main/cli/workspace-link.js';
import type { ByteChannel } from '../../src/shared/common/index.js';
import {
  decodeAgentFrame,
  encodeAgentFrame,
  type AgentFrame,
} from '../../src/shared/common/wire/index.js';

type Output = Extract<AgentFrame, { type: 'output' }>;

/**
 * `link`, but for the output of its terminals: as an agent with a defect would send it. `tamper` gets each
 * frame of output and gives what arrives in its place; what it changes must still be an unbroken log to
 * whoever only looks at the offsets.
 */
export function tamperedLink(
  link: WorkspaceLink,
  tamper: (frame: Output) => Output,
): WorkspaceLink {
  return {
    ...link,
    openChannel: (options) => {
      const channel = link.openChannel(options);
      return options.protocol === 'terminal' ? tampered(channel, tamper) : channel;
    },
  };
}

function tampered(channel: ByteChannel, tamper: (frame: Output) => Output): ByteChannel {
  return {
    get credit() {
      return channel.credit;
    },
    start: (handlers) => {
      channel.start({
        ...handlers,
        message: (bytes) => {
          const frame = decodeAgentFrame(bytes);
          handlers.message(frame.type === 'output' ? encodeAgentFrame(tamper(frame)) : bytes);
        },
      });
    },
    send: (bytes) => {
      channel.send(bytes);
    },
    consumed: (count) => {
      channel.consumed(count);
    },
    close: (error) => {
      channel.close(error);
    },
  };
}
