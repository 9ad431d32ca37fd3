import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyHelmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Headers of every answer, and the page. Nothing may be loaded from elsewhere, no script runs but our
 * files, nobody may frame the page, and its address (which names terminals) goes to no other site.
 */
export async function pages(
  app: FastifyInstance,
  { webRoot, tls }: { readonly webRoot: string; readonly tls: boolean },
): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // What xterm.js puts into style elements the page turns into sheets of its own (strict-styles).
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        // Not every browser counts WebSockets of the same host as 'self'.
        connectSrc: ["'self'", (request) => webSocketOrigin(request, tls)],
        manifestSrc: ["'self'"],
        workerSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ["'none'"],
      },
    },
    crossOriginEmbedderPolicy: { policy: 'require-corp' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    hsts: tls ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
  app.addHook('onSend', async (request, reply) => {
    void reply.header(
      'permissions-policy',
      'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), display-capture=()',
    );
    // Lists and tickets are for whoever asked, now.
    if (request.url.startsWith('/api/')) void reply.header('cache-control', 'no-store');
  });
  if (!existsSync(join(webRoot, 'index.html'))) return;
  await app.register(fastifyStatic, {
    root: webRoot,
    // Files of one build belong together; a revalidation each is cheap and never mixes two builds.
    cacheControl: true,
    maxAge: 0,
    dotfiles: 'deny',
  });
  // The page reads the workspace and the terminal from its own address, and what a link is worth from
  // its fragment, which is not sent here.
  for (const path of ['/w/*', '/s/*'])
    app.get(path, (_request, reply) => reply.sendFile('index.html'));
}

type Raw = FastifyRequest['raw'];

/** The Host header was checked before, so it is safe to repeat. */
function webSocketOrigin(request: Raw, tls: boolean): string {
  return `${tls ? 'wss' : 'ws'}://${request.headers.host ?? 'localhost'}`;
}
