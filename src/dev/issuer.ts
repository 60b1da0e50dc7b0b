import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { importJWK, SignJWT, type JWK } from 'jose';
import { DEV_ISSUER } from '../config.ts';

/** The audience of development tokens. */
export const DEV_AUDIENCE = 'proxie-api';

export interface TokenRequest {
  subject: string;
  /**
   * Roles in the token. Without any, the API reads the roles from its database: consumer at first, provider too once an
   * application was approved.
   */
  roles: readonly string[];
  name?: string;
  email?: string;
  /** Lifetime in seconds; the default is one hour. */
  lifetimeS?: number;
}

export interface Issuer {
  jwksUrl: string;
  tokenUrl: string;
  /** Returns a signed access token (RFC 9068). */
  token(request: TokenRequest): Promise<string>;
  close(): Promise<void>;
}

/**
 * A real issuer on loopback, so that API and worker verify development tokens in the same way as production's.
 * Everybody who can reach this machine's loopback can get any token. So the issuer runs only in the stack of `npm start`.
 */
export async function startIssuer(privateKey: JWK, port: number): Promise<Issuer> {
  const key = await importJWK(privateKey, 'ES256');
  const { d: _private, ...publicKey } = privateKey;
  const token = ({ subject, roles, name, email, lifetimeS = 3_600 }: TokenRequest) =>
    new SignJWT({ client_id: 'proxie-dev', roles: [...roles], name, email })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: privateKey.kid })
      .setIssuer(DEV_ISSUER)
      .setAudience(DEV_AUDIENCE)
      .setSubject(subject)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${lifetimeS} seconds`)
      .sign(key);

  const server = createServer((request, response) => {
    answer(request, response, { keys: [publicKey] }, token).catch(() => reply(response, 400, { error: 'invalid_request' }));
  });
  await listen(server, port);
  const base = `http://127.0.0.1:${port}`;
  return {
    jwksUrl: `${base}/.well-known/jwks.json`,
    tokenUrl: `${base}/token`,
    token,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, jwks: object, token: (request: TokenRequest) => Promise<string>) {
  // DNS rebinding: a foreign page whose host name resolves to 127.0.0.1 sends that name in `host`.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) return reply(response, 403, { error: 'forbidden_host' });
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /.well-known/jwks.json') return reply(response, 200, jwks);
  if (route !== 'POST /token') return reply(response, 404, { error: 'not_found' });
  const { subject, roles = [], name, email, lifetimeS = 3_600 } = JSON.parse(await bodyOf(request)) as Record<keyof TokenRequest, unknown>;
  if (typeof subject !== 'string' || subject === '' || !isStrings(roles) || !isText(name) || !isText(email) || !isSeconds(lifetimeS)) {
    const description = 'Send {"subject":"…","roles":["consumer"],"name":"…","email":"…","lifetimeS":3600}; only the subject is needed.';
    return reply(response, 400, { error: 'invalid_request', error_description: description });
  }
  const wanted = { subject, roles, lifetimeS, ...(name && { name }), ...(email && { email }) };
  return reply(response, 200, { access_token: await token(wanted), token_type: 'Bearer', expires_in: lifetimeS });
}

const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
const isSeconds = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string');

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 10_000) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}
