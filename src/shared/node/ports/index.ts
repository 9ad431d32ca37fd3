/**
 * Channels between threads: byte credit over transferred MessagePorts, and streams over them. Runs on
 * any Node thread; knows nothing of what the bytes mean.
 */
export { ChannelDuplex, type ChannelDuplexOptions } from './channel-duplex.js';
export {
  DEFAULT_PORT_CREDIT,
  PortChannel,
  type ChannelPortMessage,
  type PortHandle,
} from './port-channel.js';
export { takeFrame } from './frame-buffers.js';
export { injectFault } from './fault.js';
export {
  DEATH_KINDS,
  FAULT_KINDS,
  TERMINAL_PORT_VERSION,
  UNKNOWN_SHELL,
  type CommandEnd,
  type FaultKind,
  type RecordSpec,
  type ShellCommand,
  type ShellState,
  type TerminalAnswer,
  type TerminalCommand,
  type TerminalEvent,
  type TerminalQuestion,
  type TerminalTask,
  type ViewerProtocol,
  type ViewerSpec,
} from './terminal-port.js';
export { ReadSlab } from './read-slab.js';
export {
  monotonicMs,
  RecordingRoom,
  RecordingStatus,
  type FeedAnswer,
  type FeedMessage,
  type RecordingCommand,
  type RecordingEvent,
  type RecordingTask,
} from './recording-port.js';
export { TerminalStatus } from './terminal-status.js';
export { startBeating, workerSetup, type WorkerSetup } from './worker-setup.js';
