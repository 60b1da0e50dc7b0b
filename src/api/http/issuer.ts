import { accessTokenRules, rolesFromClaims, tokenVerifier, type TokenVerifier } from './auth.ts';
import type { ApiDeps } from './deps.ts';
import { remoteKeys } from './jwks.ts';
import type { Guests } from './guests.ts';

/** Verifies access tokens of the configured issuer and our own guest tokens. */
export function issuerVerifier({ config, log }: Pick<ApiDeps, 'config' | 'log'>, guests: Guests): TokenVerifier {
  const { jwksUrl, issuer, audience } = config.auth;
  const accessTokens = { keys: remoteKeys({ url: jwksUrl, log }), rules: accessTokenRules({ issuer, audience }), roles: rolesFromClaims };
  return tokenVerifier({ 'at+jwt': accessTokens, ...guests.schemes });
}
