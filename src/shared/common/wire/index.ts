/**
 * Wire formats: what crosses a network. Platform-free, so that agent, broker, clients and the page
 * read and write the very same bytes. docs/protocol.md describes all of it.
 */
export {
  formatTerminalLabel,
  isProtocol,
  isTerminalSize,
  parseTerminalLabel,
  PROTOCOLS,
  type Protocol,
  type TerminalLabel,
  type TerminalSize,
} from './label.js';
export {
  decodeAgentFrame,
  decodeClientFrame,
  encodeAgentFrame,
  encodeClientFrame,
  INPUT_HEADER_BYTES,
  OUTPUT_HEADER_BYTES,
  PACES,
  SIZE_POLICIES,
  TERMINAL_PROTOCOL_VERSION,
  writeOutputHeader,
  type AgentFrame,
  type ClientFrame,
  type ExitStatus,
  type Pace,
  type SizePolicy,
  type TerminalSettings,
} from './terminal-frames.js';
export { metadataSchema, parseMetadata, type Metadata } from './metadata.js';
export {
  Permissions,
  publicKeySchema,
  scopeSchema,
  TICKET_TYPE,
  ticketClaimsSchema,
  type TerminalAccess,
  type TicketClaims,
} from './ticket.js';
export {
  agentControlSchema,
  clientControlSchema,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  PEER_PROTOCOL_VERSION,
  peerTranscript,
  terminalInfoSchema,
  type AgentControl,
  type ClientControl,
  type PeerTranscript,
  type TerminalInfo,
} from './control.js';
export {
  agentSignalSchema,
  brokerToAgentSchema,
  brokerToClientSchema,
  clientSignalSchema,
  httpErrorSchema,
  iceServerSchema,
  issuerKeySchema,
  SIGNALLING_VERSION,
  ticketRequestSchema,
  ticketResponseSchema,
  type AgentSignal,
  type BrokerToAgent,
  type BrokerToClient,
  type ClientSignal,
  type IceCandidate,
  type IceServer,
  type IssuerKey,
  type TicketResponse,
} from './signalling.js';
