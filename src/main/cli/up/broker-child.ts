/** Process of the broker under `holdfast up`. Its orders come over the channel to its parent. */
import { HoldfastError } from '../../../shared/common/index.js';
import { runBroker } from '../services/index.js';
import { hostService, tellParent } from './child-host.js';

hostService(async (message) => {
  if (message.type !== 'start-broker') throw new HoldfastError('ERR_INTERNAL', 'not for a broker');
  const broker = await runBroker(message.settings);
  const { url, port, adminTokenFile } = broker;
  tellParent({ type: 'broker-ready', url, port, adminTokenFile });
  return broker;
});
