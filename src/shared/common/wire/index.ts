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
  encodePresenceCommon,
  encodePresenceFor,
  INPUT_HEADER_BYTES,
  OUTPUT_HEADER_BYTES,
  TERMINAL_PROTOCOL_VERSION,
  writeOutputHeader,
  type AgentFrame,
  type ClientFrame,
  type ExitStatus,
} from './terminal-frames.js';
export {
  PACES,
  SIZE_POLICIES,
  type Pace,
  type SizePolicy,
  type TerminalSettings,
} from './settings.js';
export {
  parsePresence,
  presenceJson,
  readPresence,
  type Presence,
  type PresenceRow,
} from './presence.js';
export type { ViewerControl } from './viewer-control.js';
export {
  parseViewerEvent,
  viewerEventJson,
  type ViewerEvent,
  type ViewerEventAt,
} from './viewer-event.js';
export { metadataSchema, parseMetadata, type Metadata } from './metadata.js';
export {
  Permissions,
  publicKeySchema,
  scopeSchema,
  TICKET_TYPE,
  ticketClaimsSchema,
  type TerminalAccess,
  type ShareClaim,
  type TicketClaims,
} from './ticket.js';
export {
  agentControlSchema,
  clientControlSchema,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  PEER_ENGINES,
  PEER_PROTOCOL_VERSION,
  peerTranscript,
  terminalInfoSchema,
  type AgentControl,
  type ClientControl,
  type PeerEngine,
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
export {
  agentTokenRequestSchema,
  gitKeySchema,
  tokenCreatedSchema,
  tokenInfoSchema,
  tokenInputSchema,
  tokenListSchema,
  whoamiSchema,
  workspaceAddedSchema,
  workspaceInfoSchema,
  workspaceInputSchema,
  workspaceListSchema,
  workspacePatchSchema,
  type TokenCreated,
  type TokenInfo,
  type TokenInput,
  type TokenRole,
  type WhoAmI,
  type WorkspaceAdded,
  type WorkspaceInfo,
  type WorkspaceInput,
  type WorkspacePatch,
} from './broker-api.js';
export { workspaceNameSchema } from './names.js';
export {
  formatShareLink,
  looksLikeLink,
  parseShareFragment,
  parseShareLink,
  shareCreatedSchema,
  sharedSchema,
  shareInputSchema,
  shareListSchema,
  sharePath,
  type Shared,
  type ShareCreated,
  type ShareInfo,
  type ShareInput,
  type ShareLink,
  type ShareMode,
  type ShareSecret,
} from './share.js';
