/**
 * Every bound in one place; docs/limits.md lists each with the action at the bound, and a test holds
 * the two together. Sizes are bytes and times milliseconds unless the name says otherwise.
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Terminal log. */
export const RING_BYTES = 64 * KIB;
/** The smallest ring that can be configured: half of it and one read must fit beside each other. */
export const RING_MIN_BYTES = 16 * KIB;
/** Kept before the ring, so that what leaves it is folded into screens in pieces of this size. */
export const RING_LEAD_IN_BYTES = 16 * KIB;
/** Largest snapshot of a screen; beyond it the lines above are left out, then colours, then the text. */
export const SNAPSHOT_BYTES = MIB;
/** Emulators of one terminal worker; who needs one more takes that of the least recent. */
export const SCREEN_EMULATORS = 4;
/** An emulator that had nothing to fold for this long is given up. */
export const SCREEN_IDLE_MS = 2_000;
/** How far the ring may grow while a lossless viewer has not acknowledged what is in it. */
export const RING_MAX_BYTES = MIB;
/** One block of the ring: the unit of memory, growth and recovery. */
export const RING_BLOCK_BYTES = 4 * KIB;
/** Growth of all rings of an agent beyond their basic size. */
export const RING_GROWTH_BUDGET_BYTES = 256 * MIB;
/** Largest piece of output that the pump hands to one viewer at once. */
export const OUTPUT_FRAME_BYTES = 64 * KIB;
/** A viewer that takes less is on a slow link; bytes per second. */
export const SLOW_LINK_BYTES_PER_SECOND = 1_000_000;
/** Largest piece of output for a viewer on a slow link, or of which nothing is known yet. */
export const SLOW_FRAME_BYTES = 16 * KIB;
/** Output under way to a viewer, as time at its measured rate, beyond the delay of its link. */
export const FLIGHT_MS = 150;
/** The same in bytes, at least, however slow the viewer is. */
export const FLIGHT_MIN_BYTES = 8 * KIB;
/** The same in bytes until the first acknowledgement has shown a rate: the usual replay at once. */
export const FLIGHT_START_BYTES = 64 * KIB;
/** A viewer is behind if what it lacks would take longer than this to arrive; then an interrupt skips it. */
export const INTERRUPT_BEHIND_MS = 250;
/** What such a viewer still gets of the output before the interrupt: about a screen. */
export const INTERRUPT_KEPT_BYTES = 4 * KIB;
/**
 * The slab of each terminal's reader. The kernel mostly gives 4 KiB a read. Not larger, since an idle terminal pays for most
 * of it: calloc(3) writes zeros to what may have been used before, and of 64 KiB 46 were resident (measured, 1,000 slabs).
 */
export const PTY_READ_SLAB_BYTES = 8 * KIB;
/** So much output goes to the viewers at once; less after a moment. */
export const PTY_BATCH_BYTES = 32 * KIB;
/** Input waiting for a program that does not read; beyond it the viewer's input is refused. */
export const PTY_INPUT_BYTES = 64 * KIB;
/** Clients of one terminal whose typing is on record, so that what they send again is not typed twice. */
export const INPUT_LEDGER_CLIENTS = 32;
/** A viewer that may type counts for the pace while it acknowledged within this time. */
export const VIEWER_COUNTS_MS = 5_000;
/** So long the quickest viewer waits for one that stands still, at the pace `fastest`. */
export const PATIENCE_MS = 500;
/** A viewer that was too slow to be waited for is tried again after this, and twice as long each time. */
export const PATIENCE_RETRY_MS = 10_000;
export const PATIENCE_RETRY_MAX_MS = 320_000;
/** Queries that the agent answers while nobody is attached; more are left unanswered. */
export const ANSWERS_PER_SECOND = 100;
/** Those among them that need to know the screen, which an emulator has to be brought to. */
export const SCREEN_ANSWERS_PER_SECOND = 20;
/** Its answers that wait for a program that does not read; further ones are left out. */
export const ANSWERS_PENDING_BYTES = 4 * KIB;
/** Unread input of an original `reconnecting-pty` client before it is ended. */
export const RPTY_UNREAD_BYTES = 256 * KIB;
/** Idle life of a `reconnecting-pty` terminal with nobody attached, as in the original. */
export const RPTY_IDLE_MS = 5 * 60_000;
/** Idle life of a `terminal` terminal with nobody attached. */
export const TERMINAL_IDLE_MS = 24 * 3_600_000;
/** The longest that anything may live or wait by request: timers of Node end at 24.8 days. */
export const IDLE_MAX_MS = 7 * 24 * 3_600_000;
export const WAIT_MAX_MS = 7 * 24 * 3_600_000;
/** A command of a terminal with all its arguments. */
export const COMMAND_BYTES = 32 * KIB;
export const COMMAND_WORDS = 1_024;
/** Linux's PATH_MAX. */
export const PATH_BYTES = 4 * KIB;
/** How long an exited terminal can still be looked at. */
export const EXITED_KEPT_MS = 10 * 60_000;
export const EXITED_KEPT = 64;
export const EXITED_KEPT_BYTES = 16 * MIB;
/** Terminals that one subject may have, PTYs of SSH sessions among them: nobody takes all of them. */
export const TERMINALS_PER_SUBJECT = 2_000;
/** An OSC sequence that means something to Holdfast; a longer one is passed over. */
export const OSC_BYTES = 8 * KIB;
/** Of a title; no tab shows more. */
export const TITLE_CHARACTERS = 256;
/** Of a command line in events and in the list. */
export const COMMAND_LINE_CHARACTERS = 1_024;
/** Events of a terminal that its viewers have not been told of; the oldest go first. */
export const EVENTS_KEPT = 256;
/** News of what a shell says go to main and viewers at most this often. */
export const NEWS_MS = 50;
/** Commands in one piece of news; a program that prints marks in a loop has more. */
export const NEWS_COMMANDS = 16;
/** Terminals of one agent. kernel.pty.max is 4096 on a stock Linux. */
export const MAX_TERMINALS = 4_000;
/** A viewer that has a channel but never says what it wants. */
export const ATTACH_MS = 10_000;
/** Viewers of one terminal. */
export const MAX_VIEWERS = 1_024;
/** One `control` frame of a viewer. */
export const VIEWER_CONTROL_BYTES = 4 * KIB;
/** Viewers named in a `presence` frame; more names than this nobody reads. */
export const PRESENCE_NAMES = 64;
/** Latencies and backlogs are told at most this often; who comes and goes is told at once. */
export const PRESENCE_FIGURES_MS = 500;
/** Presence of one terminal to all of its viewers in a second; the next waits until this allows it. */
export const PRESENCE_BYTES_PER_SECOND = 256 * KIB;
/** A viewer asks for control, is told of a refusal, or has a probe answered at most this often. */
export const VIEWER_ASK_MS = 1_000;
/** A client tells how long its way is at most this often. */
export const VIEWER_LATENCY_MS = 5_000;
/** No latency is believed to be longer. */
export const MAX_LATENCY_MS = 60_000;
/** Name of a subject, and message of an error, as shown to others; the rest is cut off. */
export const SUBJECT_CHARS = 200;
export const ERROR_MESSAGE_CHARS = 1_000;
export const MIN_CELLS = 1;
export const MAX_CELLS = 1_000;
export const DEFAULT_ROWS = 24;
export const DEFAULT_COLS = 80;

/** Clients of a terminal. */
/** Output that a client takes beyond what it has processed. */
export const TERMINAL_WINDOW_BYTES = 256 * KIB;
/** Small progress is acknowledged together, this long after the first of it. */
export const TERMINAL_ACK_MS = 50;
/** Until the answer to `attach`; then the channel is given up and another opened. */
export const TERMINAL_ATTACH_MS = 10_000;
/** An attachment that held this long starts the back-off anew. */
export const TERMINAL_STABLE_MS = 5_000;
/** Largest piece of input sent at once, so that a paste does not hold up what else is on the link. */
export const TERMINAL_INPUT_FRAME_BYTES = 16 * KIB;

/** Ports between threads. */
export const PORT_CREDIT_BYTES = 256 * KIB;
/** Buffers of frames that a thread keeps to use again. */
export const FRAME_POOL_BYTES = 4 * MIB;
/** What a stream over a channel holds ahead of its reader, and takes from its writer before it asks to wait. */
export const STREAM_BUFFER_BYTES = 16 * KIB;
/** Control messages may be this many ahead of the reader; they are outside the byte credit. */
export const PORT_CONTROL_PENDING = 64;

/** Peers and channels. */
export const CHANNEL_MESSAGE_BYTES = 64 * KIB;
/** Largest message that an engine carries; well-behaved senders stay near CHANNEL_MESSAGE_BYTES. */
export const MESSAGE_BYTES = 256 * KIB;
/** What one end may have sent on a channel before the other has dealt with it. */
export const CHANNEL_CREDIT_BYTES = 256 * KIB;
/** Bytes of one channel that wait to be sent; senders stop there, and double of it ends the channel. */
export const CHANNEL_QUEUE_BYTES = 256 * KIB;
/** Messages of a channel that nobody has taken up yet, since a thousand small ones weigh far more than their bytes. */
export const CHANNEL_HELD_MESSAGES = 1_024;
/** What a closing connection waits for its queue to drain. */
export const PEER_DRAIN_MS = 2_000;
export const LABEL_BYTES = 128;
export const PROTOCOL_BYTES = 64;
export const CHANNELS_PER_PEER = 256;
export const CHANNEL_OPENS_PER_SECOND = 200;
export const PEERS = 256;
export const UNAUTHENTICATED_PEERS = 32;
/** Channels held, with no data delivered, until main has authenticated the peer. */
export const HELD_CHANNELS = 4;
export const PEER_AUTH_BYTES = 8 * KIB;
export const PEER_AUTH_MS = 10_000;
/** From an offer to a connection that stands, before anybody has proved anything. */
export const PEER_ESTABLISH_MS = 20_000;
/** Tickets remembered as used until they have expired; only an issuer can fill this. */
export const USED_TICKETS = 20_000;
/** Channels of a peer that came through a share link, beside the control channel. */
export const SHARE_CHANNELS = 8;
/** Revoked share links that an agent remembers while tickets made before may still arrive. */
export const SHARES_REVOKED = 4_096;
/** The end of a share link is looked at this often, since the clock of the wall may be set. */
export const SHARE_CHECK_MS = 30_000;
/** From the last word to a peer whose share link has ended to the end of its connection; a slow path needs some of it. */
export const SHARE_CUT_MS = 2_000;
export const CONTROL_MESSAGE_BYTES = 64 * KIB;
/** Requests on one control channel that are not answered yet. */
export const CONTROL_REQUESTS = 16;
/** Bytes queued in one association: more only adds latency (libraries.md 4.2-4). */
export const ASSOCIATION_QUEUE_BYTES = 128 * KIB;
export const ASSOCIATION_QUEUE_MS = 150;
/** What libdatachannel's SCTP holds of one association, unsent and unacknowledged; it sends stream by stream in turn. */
export const NATIVE_SEND_BYTES = 256 * KIB;
/** Candidates that came before the description they belong to. A client has a few per network interface. */
export const EARLY_CANDIDATES = 64;
export const HEARTBEAT_MS = 5_000;
export const HEARTBEAT_MISSES = 2;
/** Where the broker says that a client has gone, its connection ends after so long a silence. */
export const PROBE_MS = 3_000;
/** Unread bytes of one channel of an engine that cannot push back; beyond it the channel is closed. */
export const CHANNEL_UNREAD_BYTES = 4 * MIB;

/** Signalling and tickets. */
export const SIGNAL_MESSAGE_BYTES = 64 * KIB;
export const TICKET_BYTES = 2 * KIB;
export const TICKET_MS = 60_000;
export const TICKET_SKEW_MS = 30_000;
export const METADATA_BYTES = 256 * KIB;
export const RELAY_AFTER_MS = 3_000;
export const DIAL_MIN_MS = 50;
export const DIAL_MAX_MS = 10_000;
export const DIAL_STABLE_MS = 60_000;

/** SSH. */
export const SSH_CONNECTION_BYTES = 4 * MIB;
/** Clients of the direct listener at once. */
export const SSH_DIRECT_CONNECTIONS = 64;
/** Of these, clients that have not logged in. */
export const SSH_STARTUPS = 16;
export const SSH_SESSIONS = 64;
export const SSH_CHANNELS = 256;
export const SSH_ENV_COUNT = 128;
export const SSH_ENV_BYTES = 32 * KIB;
export const SSH_COMMAND_BYTES = 128 * KIB;
export const SSH_AUTH_ATTEMPTS = 6;
export const SSH_AUTH_MS = 20_000;
/** Receive window of a channel: what a client may send ahead of the program that reads it. */
export const SSH_WINDOW_BYTES = 2 * MIB;
/** Receive window of each channel beyond the first {@link SSH_LARGE_WINDOWS} of a connection. */
export const SSH_SMALL_WINDOW_BYTES = 128 * KIB;
export const SSH_LARGE_WINDOWS = 8;
/** Largest SSH data packet either way; RFC 4253 section 6.1 asks for at least this. */
export const SSH_PACKET_BYTES = 32 * KIB;
/** A client that takes smaller packets than this would cost more in headers than in data. */
export const SSH_MIN_PACKET_BYTES = 256;
/** Encrypted output waiting for the peer; beyond it channels wait. Small, since it only adds latency. */
export const SSH_QUEUE_BYTES = 256 * KIB;
/** Packets of our own that may wait for the end of a key exchange. */
export const SSH_KEX_QUEUE_PACKETS = 4_096;
export const SSH_KEX_MS = 20_000;
export const SSH_REKEY_BYTES = 1_024 * MIB;
export const SSH_REKEY_MS = 3_600_000;
/** Of a banner or message of the day. */
export const LOGIN_TEXT_BYTES = 64 * KIB;
/** Global requests that wait for an answer. */
export const SSH_PENDING_REQUESTS = 64;
/** Listeners of remote forwards of one connection. */
export const SSH_LISTENERS = 16;
/** Displays that X11 forwarding takes, from this number on, as OpenSSH's sshd; TCP ports 6010 to 6200. */
export const X11_FIRST_DISPLAY = 10;
export const X11_DISPLAYS = 191;
/** Of an X11 cookie, or the name of its protocol. */
export const X11_COOKIE_CHARACTERS = 1_024;
/** xauth waits for others who have the authority file locked. */
export const X11_XAUTH_MS = 10_000;
/** After a command has ended, its pipes are read until they have been quiet for this long. */
export const SSH_LINGER_MS = 500;
/** Window changes reach the PTY at most once in this time; the last one always does. */
export const SSH_RESIZE_MS = 16;
export const FORWARD_CONNECT_MS = 30_000;
/** Channels of protocol `sftp` of one connection at once. */
export const SFTP_CHANNELS = 8;
export const SFTP_PACKET_BYTES = 256 * KIB;
/** Read by `holdfast sftp-server` ahead of the requests that it takes, and one packet more. */
export const SFTP_INPUT_BYTES = MIB;
export const SFTP_OUTSTANDING = 64;
export const SFTP_HANDLES = 256;
/** Requests taken and not answered; beyond it no more are read. Room for 16 of the largest writes. */
export const SFTP_REQUEST_BYTES = 4 * MIB;
/** Replies made and not taken by the client; beyond it no request is begun. */
export const SFTP_REPLY_BYTES = MIB;
/** Requests of one session at work at a time. The pool has four threads for the whole process. */
export const SFTP_PARALLEL = 3;

/** Supervision. */
export const WORKER_DEATHS = 5;
export const WORKER_DEATHS_MS = 60_000;
export const WORKER_BEAT_MS = 15_000;
export const ADOPT_MS = 5_000;
export const ADOPT_TRIES = 3;
export const CLOSE_HANGUP_MS = 1_500;
export const CLOSE_TERM_MS = 1_500;
export const LOG_PENDING_RECORDS = 1_000;
/** Log output that its reader has not taken; beyond it records are dropped and counted. */
export const LOG_PENDING_BYTES = MIB;
/** Keys, tokens and the like in the state folder. */
export const SECRET_FILE_BYTES = 64 * KIB;

/** Broker. */
/** For whoever connects to say its first word: hello of an agent, open of a client. */
export const SIGNAL_FIRST_MS = 5_000;
/** A signalling session ends after this; connections that came of it live on. */
export const SIGNAL_SESSION_MS = 5 * 60_000;
/** Messages of either side in one signalling session: an SDP, its candidates, and room. */
export const SIGNAL_SESSION_MESSAGES = 512;
/** Signalling sessions of one agent at once. */
export const SIGNAL_SESSIONS = 256;
/** Signalling waiting for an agent or client that does not read; beyond it the link is ended. */
export const SIGNAL_QUEUE_BYTES = MIB;
/** WebSockets of one source that have not shown a credential yet. */
export const UNPROVEN_SOCKETS_PER_SOURCE = 64;
/** The same for all sources together. */
export const UNPROVEN_SOCKETS = 1_024;
/** A ping this often, and a link that was silent for two of them is dead. */
export const LINK_PING_MS = 10_000;
/** Failed credentials of one source per minute; further failures get ERR_RATE_LIMITED. */
export const FAILED_ATTEMPTS_PER_MINUTE = 5;
/** Sources whose failures are remembered; the longest quiet one is forgotten first. */
export const FAILURE_SOURCES = 10_000;
/** One message of a relay: a frame of the framed engine and its header. */
export const RELAY_MESSAGE_BYTES = 256 * KIB;
/** Bytes waiting for one side of a relay; from here on the other side is not read. */
export const RELAY_QUEUE_BYTES = 256 * KIB;
/** For both sides of a relay to arrive. */
export const RELAY_PAIR_MS = 15_000;
/** A relay that could not move a byte for this long, while some wait, is ended. */
export const RELAY_STALL_MS = 60_000;
export const RELAYS = 1_024;
export const RELAYS_PER_WORKSPACE = 64;
export const WORKSPACES = 10_000;
export const TOKENS = 50_000;
/** Life of a share link unless said otherwise: a working day. */
export const SHARE_MS = 8 * 3_600_000;
/** The longest that can be asked for; beyond it only "until revoked", which has to be said. */
export const SHARE_MAX_MS = 30 * 86_400_000;
/** Who may be connected through one share link at a time, unless said otherwise, and at most. */
export const SHARE_VIEWERS = 10;
export const SHARE_MAX_VIEWERS = 64;
/** Share links of one workspace that are in force. */
export const SHARES_PER_WORKSPACE = 256;
/** Ended share links of one workspace that are remembered, so that their holders learn what became of them. */
export const SHARES_ENDED_KEPT = 256;
/** From the word to an agent that a share link is revoked to the cut of its relays, if they still stand. */
export const SHARE_RELAY_CUT_MS = 3_000;
/** Newest audit records kept. */
export const AUDIT_RECORDS = 100_000;
export const TURN_CREDENTIAL_MS = 10 * 60_000;
/** For one request to the broker's HTTP API. */
export const BROKER_REQUEST_MS = 15_000;
/** An answer of the broker to a client; some 100,000 workspaces. */
export const BROKER_ANSWER_BYTES = 32 * MIB;

/** Recordings. */
/** Longest name of a recording: a terminal's name, a date and a number. */
export const RECORDING_NAME_LENGTH = 96;
/** What all recordings of an agent may take on disk, unless its configuration says otherwise. */
export const RECORDING_QUOTA_BYTES = 1024 * MIB;
/** What one recording may take, likewise. */
export const RECORDING_BYTES = 256 * MIB;
/** Files in the folder. */
export const RECORDINGS = 1_000;
/** Output of one terminal on its way into its recording: read from the PTY and not yet in the file. */
export const RECORDING_QUEUE_BYTES = 4 * MIB;
/** Typed and not shown yet by a program that echoes by itself. */
export const RECORDING_UNSHOWN_BYTES = 4 * KIB;
/** One line of a file that is read; a writer's are a sixth of it at most. */
export const RECORDING_LINE_BYTES = 2 * MIB;
/** Of a download, sent and not acknowledged. */
export const RECORDING_WINDOW_BYTES = MIB;
/** Downloads of one agent at a time. */
export const RECORDING_DOWNLOADS = 32;
/** Recording after which the next keyframe is made. */
export const RECORDING_KEYFRAME_BYTES = 128 * KIB;
/** The part of an index that a player reads; later keyframes are left out. */
export const RECORDING_INDEX_BYTES = 32 * MIB;
