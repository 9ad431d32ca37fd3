import fastify, { type FastifyInstance } from 'fastify';
import { HoldfastError, limits, type Logger } from '../../shared/common/index.js';
import { PACKAGE_VERSION } from '../../shared/node/package-info/index.js';
import {
  type ApiContext,
  requireAdmin,
  shareRoutes,
  ticketRoutes,
  tokenRoutes,
  workspaceRoutes,
} from './api/index.js';
import { httpFailure } from './http-errors.js';
import type { Sites } from './auth/index.js';
import type { Metrics } from './metrics.js';
import type { ResolvedBrokerOptions } from './options.js';
import { pages } from './pages/index.js';

/** Times within which a request must have sent its headers, and all of itself. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
/** How often Node looks for requests beyond those times. */
const CHECK_MS = 5_000;

export interface ServerOptions {
  readonly resolved: ResolvedBrokerOptions;
  readonly context: ApiContext;
  readonly sites: Sites;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The HTTP server with all its routes, not yet listening. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { resolved, context, sites, metrics, logger } = options;
  const { tls } = resolved;
  const timing = { connectionsCheckingInterval: CHECK_MS, headersTimeout: HEADERS_MS };
  const settings = {
    bodyLimit: limits.METADATA_BYTES + limits.SIGNAL_MESSAGE_BYTES,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: HEADERS_MS,
    forceCloseConnections: true as const,
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
  };
  const app: FastifyInstance =
    tls === undefined
      ? fastify({ ...settings, http: timing })
      : fastify({
          ...settings,
          https: { ...timing, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' },
        });

  // JSON only: what a foreign page can send without being asked first (text/plain) is not even read.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', (request, _reply, next) => {
    checkSite(sites, request.method, request.raw);
    next();
  });
  app.addHook('onResponse', (_request, reply, next) => {
    metrics.answered(reply.statusCode);
    next();
  });
  app.setErrorHandler(async (error, request, reply) => {
    const failure = httpFailure(error);
    const { method } = request;
    if (failure.status === 500)
      logger.error('request failed', { method, route: request.routeOptions.url, error });
    else logger.debug('request refused', { method, code: failure.error.code });
    if (failure.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (failure.status === 429) void reply.header('retry-after', '60');
    await reply.code(failure.status).send({ error: failure.error });
  });
  app.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: { code: 'ERR_NOT_FOUND', message: 'no such address' } });
  });

  await pages(app, { webRoot: resolved.webRoot, tls: tls !== undefined });
  workspaceRoutes(app, context);
  tokenRoutes(app, context);
  shareRoutes(app, context);
  ticketRoutes(app, context);

  app.get('/healthz', async () => {
    await context.store.read((transaction) => transaction.tokenByHash(''));
    return { status: 'ok', version: PACKAGE_VERSION };
  });
  app.get('/metrics', async (request, reply) => {
    if (!resolved.isLocal) requireAdmin(await context.authenticator.user(request.raw));
    return await reply.type(metrics.contentType).send(await metrics.text());
  });
  await app.ready();
  return app;
}

/** A page of another site may read nothing here anyhow, as there is no CORS; it may change nothing too. */
function checkSite(
  sites: Sites,
  method: string,
  request: { readonly headers: Parameters<Sites['check']>[0]['headers'] },
): void {
  const reading = method === 'GET' || method === 'HEAD';
  const { origin, ...rest } = request.headers;
  sites.check({ headers: reading || origin === undefined ? rest : request.headers });
}

/**
 * Starts to listen. @throws {HoldfastError} ERR_PORT_IN_USE, ERR_INVALID_ARGUMENT.
 */
export async function listen(
  app: FastifyInstance,
  { host, port, scheme }: Pick<ResolvedBrokerOptions, 'host' | 'port' | 'scheme'>,
): Promise<{ readonly port: number; readonly url: string }> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE')
      throw new HoldfastError('ERR_PORT_IN_USE', `port ${String(port)} on ${host} is taken`);
    throw new HoldfastError(
      'ERR_INVALID_ARGUMENT',
      `cannot listen on ${host} port ${String(port)}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const name = reached.includes(':') ? `[${reached}]` : reached;
  return { port: actual, url: `${scheme}://${name}:${String(actual)}` };
}
