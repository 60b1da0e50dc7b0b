// Checks of licences, insurances and identities: a port, and an adapter that needs no vendor.
import type { CredentialKind } from '../domain/enrollment/machine.ts';
import type { CheckOutcome } from '../domain/enrollment/types.ts';

export interface CredentialClaim {
  /** Names the claim for the vendor: the same claim asked twice is one case. */
  key: string;
  kind: CredentialKind;
  category: string | null;
  reference: string;
  validUntil: string | null;
}

export interface Verification {
  /** `pending`: the vendor tells later, by signal. @throws when it cannot be asked now; asking again is harmless */
  check(claim: CredentialClaim, signal?: AbortSignal): Promise<CheckOutcome>;
}

/** Letters, digits and separators, at least five characters of which one is a digit: what registers print. */
const printable = /^(?=.*\d)[A-Z0-9][A-Z0-9 ./-]{3,39}[A-Z0-9]$/;

/**
 * Judges by form and date alone, always the same way: it refuses what cannot be a registration number and what has run out.
 * An operator sees every application before anybody is let in.
 */
export function offlineVerification(now: () => number = Date.now): Verification {
  return {
    async check({ reference, validUntil }) {
      if (!printable.test(reference.trim().toUpperCase())) return 'failed';
      return validUntil !== null && Date.parse(validUntil) <= now() ? 'failed' : 'passed';
    },
  };
}
