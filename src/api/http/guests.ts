import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { DomainError } from '../../domain/errors.ts';
import type { Scheme } from './auth.ts';

export const guestIssuer = 'proxie-guest';
const guestType = 'guest+jwt';
const sessionMs = 24 * 3_600_000;

export interface Guests {
  /** The scheme that verifies guest tokens; empty when guests are not served. */
  schemes: Readonly<Record<string, Scheme>>;
  /** Makes a new guest and a token for them. @throws not_found when guests are not served */
  open(): Promise<{ userId: string; token: string; expiresAt: Date }>;
}

/** Guest sessions. We sign their tokens, which have a type and issuer of their own and are valid for chat routes only. */
export function guestSessions({ secret, audience }: { secret?: string | undefined; audience: string }): Guests {
  if (!secret) {
    return {
      schemes: {},
      open: async () => {
        throw new DomainError('not_found', 'Guest sessions are not served here.');
      },
    };
  }
  const keys = new TextEncoder().encode(secret);
  return {
    schemes: {
      [guestType]: {
        keys,
        rules: { algorithms: ['HS256'], typ: guestType, issuer: guestIssuer, audience, requiredClaims: ['sub', 'jti', 'iat', 'exp'] },
        roles: () => ['guest'],
      },
    },
    async open() {
      const userId = randomUUID();
      const expiresAt = new Date(Math.floor((Date.now() + sessionMs) / 1000) * 1000);
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: 'HS256', typ: guestType })
        .setIssuer(guestIssuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(keys);
      return { userId, token, expiresAt };
    },
  };
}
