/** Process of the agent under `holdfast up`. Its orders come over the channel to its parent. */
import { HoldfastError } from '../../../shared/common/index.js';
import { runAgent } from '../services/index.js';
import { hostService, tellParent } from './child-host.js';

hostService(async (message) => {
  if (message.type !== 'start-agent') throw new HoldfastError('ERR_INTERNAL', 'not for an agent');
  const agent = await runAgent(message.settings);
  tellParent({ type: 'agent-started' });
  return agent;
});
