import { delimiter } from 'node:path';

/**
 * The environment of broker and agent, and so of the shells people get: what npm adds when it runs
 * `npm start` is taken out again, or every program in the workspace would see it.
 */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const clean: NodeJS.ProcessEnv = {};
  const fromNpm = env['npm_lifecycle_event'] !== undefined;
  for (const [name, value] of Object.entries(env)) {
    if (fromNpm && (name.startsWith('npm_') || name === 'INIT_CWD' || name === 'NODE')) continue;
    clean[name] = value;
  }
  const path = env['PATH'];
  if (fromNpm && path !== undefined) {
    clean['PATH'] = path
      .split(delimiter)
      .filter((folder) => !/[\\/]node_modules[\\/]\.bin$|[\\/]node-gyp-bin$/.test(folder))
      .join(delimiter);
  }
  return clean;
}
