/** Which part of the agent serves a channel, by its protocol. Main thread; never starts a port. */
export { ChannelRouter, type ChannelHandler } from './channel-router.js';
export { createFaultDoor, type FaultDoorOptions } from './fault-door.js';
