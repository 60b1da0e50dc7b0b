import { createHash } from 'node:crypto';
import { jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import type { Request } from 'express';
import { actorRoles, type Actor, type ActorRole } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import { contextOf } from './context.ts';
import { isKeysUnavailable } from './jwks.ts';
import { acceptableHeader } from './token-shape.ts';

/** Roles a person can have; no person has `system`. */
export type UserRole = Exclude<ActorRole, 'system'>;
export const userRoles = actorRoles.filter((role) => role !== 'system') as UserRole[];

/** The user a verified token belongs to, in the issuer's words. */
export interface Principal {
  issuer: string;
  subject: string;
  /** Known roles that the issuer gave. Empty means: read the roles from the database. */
  roles: UserRole[];
  email?: string | undefined;
  name?: string | undefined;
  /** When the token ends, epoch milliseconds. */
  expiresAt: number;
}

/** The actor of one request. `role` is the one that this route uses, `roles` are all roles of the user. */
export interface ApiActor extends Actor {
  role: UserRole;
  roles: readonly UserRole[];
}

/** @throws unauthenticated · temporarily_unavailable when the issuer's keys cannot be fetched */
export type TokenVerifier = (token: string) => Promise<Principal>;

const clockToleranceS = 60;
const cachedTokens = 10_000;
/** Milliseconds a verified token is remembered. It stays valid at most this long after its key was removed. */
const cachedForMs = 300_000;

/** RFC 9068 access tokens of our issuer. */
export const accessTokenRules = ({ issuer, audience }: { issuer: string; audience: string }): JWTVerifyOptions => ({
  algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
  typ: 'at+jwt',
  issuer,
  audience,
  clockTolerance: clockToleranceS,
  requiredClaims: ['sub', 'jti', 'iat', 'exp', 'client_id'],
});

export interface Scheme {
  keys: JWTVerifyGetKey | Uint8Array;
  rules: JWTVerifyOptions;
  /** Roles the claims grant. */
  roles: (claims: JWTPayload) => UserRole[];
}

/** Roles from the `roles` claim; `guest` and `system` cannot be granted by an issuer. */
export const rolesFromClaims = ({ roles }: JWTPayload): UserRole[] =>
  Array.isArray(roles) ? userRoles.filter((role) => role !== 'guest' && roles.includes(role)) : [];

/**
 * Verifies bearer tokens by the scheme that their `typ` names. Each scheme has its own keys, algorithms and issuer, so a token
 * of one kind is never accepted as another kind.
 * Verified tokens are remembered by hash until they expire; their number is bounded.
 */
export function tokenVerifier(schemes: Readonly<Record<string, Scheme>>): TokenVerifier {
  const verified = new Map<string, { principal: Principal; until: number }>();

  return async (token) => {
    const key = createHash('sha256').update(token).digest('base64');
    const hit = verified.get(key);
    if (hit && Date.now() < hit.until) return hit.principal;
    verified.delete(key);
    const principal = await verify(token, schemes);
    if (verified.size >= cachedTokens) verified.delete(verified.keys().next().value!);
    verified.set(key, { principal, until: Math.min(principal.expiresAt, Date.now() + cachedForMs) });
    return principal;
  };
}

async function verify(token: string, schemes: Readonly<Record<string, Scheme>>): Promise<Principal> {
  const header = acceptableHeader(token);
  const typ = (typeof header?.typ === 'string' ? header.typ : '').toLowerCase().replace(/^application\//, '');
  const scheme = Object.hasOwn(schemes, typ) ? schemes[typ] : undefined;
  if (!scheme) throw new DomainError('unauthenticated');
  try {
    // The two overloads of jwtVerify differ only in the kind of key.
    const { payload } = await jwtVerify(token, scheme.keys as JWTVerifyGetKey, scheme.rules);
    return toPrincipal(payload, scheme);
  } catch (error) {
    if (isKeysUnavailable(error)) throw new DomainError('temporarily_unavailable', undefined, { retryAfterS: 5 });
    throw new DomainError('unauthenticated');
  }
}

function toPrincipal(claims: JWTPayload, { roles }: Scheme): Principal {
  const { iss, sub, jti, iat, exp, client_id: clientId } = claims;
  const texts = [iss, sub, jti, clientId ?? 'guest'];
  if (
    !texts.every(
      (text) => typeof text === 'string' && text.length > 0 && text.length <= 255 && !/[\u0000-\u001f]/.test(text) && text.isWellFormed(),
    )
  ) {
    throw new DomainError('unauthenticated');
  }
  // jose accepts an `iat` in the future unless a maximum age is set.
  if (iat! * 1000 > Date.now() + clockToleranceS * 1000) throw new DomainError('unauthenticated');
  return {
    issuer: iss!,
    subject: sub!,
    roles: roles(claims),
    email: shortText(claims.email),
    name: shortText(claims.name),
    expiresAt: exp! * 1000,
  };
}

const shortText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 320 && value.isWellFormed() && !value.includes('\u0000') ? value : undefined;

/** The token of `Authorization: Bearer …`. A token in the query or in a cookie does not count. @throws unauthenticated */
export function bearerToken(req: Request): string {
  const match = /^Bearer +([^\s]+)$/i.exec(req.headers.authorization ?? '');
  if (!match) throw new DomainError('unauthenticated');
  return match[1]!;
}

export interface UserRow {
  id: string;
  roles: string[];
  status: string;
}

/**
 * The actor of a request: the user in the first of the route's roles that they have.
 * @throws suspended · forbidden_role
 */
export function actorFor(req: Request, { roles: granted }: Principal, user: UserRow, allowed: readonly UserRole[]): ApiActor {
  contextOf(req).actorId = user.id;
  if (user.status !== 'active') throw new DomainError('suspended');
  const roles = granted.length > 0 ? granted : userRoles.filter((role) => user.roles.includes(role));
  const role = allowed.find((candidate) => roles.includes(candidate));
  if (!role) throw new DomainError('forbidden_role');
  return { id: user.id, role, roles };
}

/** The same user in another of their roles, for routes that both sides may call. @throws forbidden_role */
export function actingAs(actor: ApiActor, role: UserRole): ApiActor {
  if (!actor.roles.includes(role)) throw new DomainError('forbidden_role');
  return { ...actor, role };
}

/**
 * The user in the role of their side of a booking: the same user may be a consumer in one and a provider in another.
 * @throws forbidden_role
 */
export function asSide(actor: ApiActor, { consumerId, providerId }: { consumerId: string; providerId: string }): ApiActor {
  if (actor.role === 'provider' && actor.id === consumerId && actor.id !== providerId) return actingAs(actor, 'consumer');
  if (actor.role === 'consumer' && actor.id === providerId && actor.id !== consumerId) return actingAs(actor, 'provider');
  return actor;
}
