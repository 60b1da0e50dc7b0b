// Checks of licences, insurances and identities: a port, and an adapter that needs no vendor.
import type { CredentialKind } from '../domain/enrollment/machine.ts';
import type { CheckOutcome } from '../domain/enrollment/types.ts';

export interface CredentialClaim {
  /** Names the claim for the vendor: a claim that is sent twice is one case. */
  key: string;
  kind: CredentialKind;
  category: string | null;
  reference: string;
  validUntil: string | null;
}

export interface Verification {
  /**
   * `pending`: the vendor sends the result later, as a signal.
   * @throws when the vendor cannot be asked now; asking again is harmless
   */
  check(claim: CredentialClaim, signal?: AbortSignal): Promise<CheckOutcome>;
}

/** The form of printed registration numbers: letters, digits and separators, at least five characters, at least one digit. */
const printable = /^(?=.*\d)[A-Z0-9][A-Z0-9 ./-]{3,39}[A-Z0-9]$/;

/**
 * Judges by form and date alone, always in the same way. It refuses numbers that cannot be registration numbers, and expired
 * documents. An operator sees every application before it is approved.
 */
export function offlineVerification(now: () => number = Date.now): Verification {
  return {
    async check({ reference, validUntil }) {
      if (!printable.test(reference.trim().toUpperCase())) return 'failed';
      return validUntil !== null && Date.parse(validUntil) <= now() ? 'failed' : 'passed';
    },
  };
}
