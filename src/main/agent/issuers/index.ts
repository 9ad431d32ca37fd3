/** Who may sign tickets, as far as this agent is concerned. Main thread. */
export { IssuerPins } from './issuer-pins.js';
