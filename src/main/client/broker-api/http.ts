import { request as overTcp } from 'node:http';
import { request as overTls } from 'node:https';
import { HoldfastError, limits } from '../../../shared/common/index.js';

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request on a connection of its own. Follows no redirect, which would carry the token elsewhere. Not `fetch`:
 * what that loads takes longer than all of the request (70 ms, a quarter of what Node takes to start).
 * @throws {Error} that of the socket or of `signal`; {@link HoldfastError} ERR_MESSAGE_TOO_LARGE beyond BROKER_ANSWER_BYTES.
 */
export async function sendHttp(url: URL, options: HttpRequest): Promise<HttpAnswer> {
  const { method, headers, body, signal } = options;
  const send = url.protocol === 'https:' ? overTls : overTcp;
  return await new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(signal.aborted ? (signal.reason as Error) : error);
    };
    const request = send(url, { method, headers, signal, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > limits.BROKER_ANSWER_BYTES) {
          response.destroy(new HoldfastError('ERR_MESSAGE_TOO_LARGE', 'the answer is too long'));
          return;
        }
        parts.push(part);
      });
      response.on('error', fail);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') });
      });
    });
    request.on('error', fail);
    request.end(body);
  });
}
