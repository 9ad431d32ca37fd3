import { join } from 'node:path';
import { z } from 'zod';
import { HoldfastError } from '../../shared/common/index.js';
import { publicKeySchema } from '../../shared/common/wire/index.js';
import { openStateDir, readSecretFile, writeSecretFile } from '../../shared/node/state/index.js';

/** What is known of one agent. */
export interface KnownAgent {
  /** Its identity: pinned at the first connection. */
  readonly agentKey: string;
  /** Its SSH host key as of the last connection that it authenticated with its identity. */
  readonly sshHostKey: string;
}

const agentSchema = z.object({ agentKey: publicKeySchema, sshHostKey: z.string().max(512) });
const fileSchema = z.record(z.string(), z.record(z.string(), agentSchema));
type Content = z.infer<typeof fileSchema>;

/**
 * The agents that this configuration has connected to, by broker and workspace name, in
 * `known-agents.json` beside the config file. A broker that names another key for a known workspace is not
 * believed, whatever workspace id it comes up with.
 */
export class KnownAgents {
  readonly #configDir: string;
  readonly #brokerUrl: string;

  constructor(configDir: string, brokerUrl: string) {
    this.#configDir = configDir;
    this.#brokerUrl = brokerUrl;
  }

  get file(): string {
    return join(this.#configDir, 'known-agents.json');
  }

  /** @throws {HoldfastError} ERR_CONFIG if the file is broken, ERR_STATE_DIR if it is unsafe. */
  async find(workspace: string): Promise<KnownAgent | undefined> {
    const agents = (await this.#read())[this.#brokerUrl];
    return agents !== undefined && Object.hasOwn(agents, workspace) ? agents[workspace] : undefined;
  }

  /** Remembers `agent`. Two processes at once: the later one may drop what the other learned anew. */
  async remember(workspace: string, agent: KnownAgent): Promise<void> {
    const content = await this.#read();
    const known = content[this.#brokerUrl]?.[workspace];
    if (known?.agentKey === agent.agentKey && known.sshHostKey === agent.sshHostKey) return;
    await this.#write({
      ...content,
      [this.#brokerUrl]: { ...content[this.#brokerUrl], [workspace]: agent },
    });
  }

  /** @returns Whether there was anything to forget. */
  async forget(workspace: string): Promise<boolean> {
    const content = await this.#read();
    const agents = { ...content[this.#brokerUrl] };
    if (!Object.hasOwn(agents, workspace)) return false;
    Reflect.deleteProperty(agents, workspace);
    await this.#write({ ...content, [this.#brokerUrl]: agents });
    return true;
  }

  async #read(): Promise<Content> {
    const bytes = await readSecretFile(this.file);
    if (bytes === undefined) return {};
    try {
      return fileSchema.parse(JSON.parse(bytes.toString('utf8')));
    } catch (error) {
      throw new HoldfastError('ERR_CONFIG', `${this.file} is damaged`, {
        cause: error,
        hint: 'Remove it; agents are then taken at their word once more at the next connection.',
      });
    }
  }

  async #write(content: Content): Promise<void> {
    await openStateDir(this.#configDir);
    await writeSecretFile(this.file, `${JSON.stringify(content, null, 2)}\n`);
  }
}
