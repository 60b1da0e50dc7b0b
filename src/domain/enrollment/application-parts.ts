// An application in words that a run may know: codes, counts and dates. What was written stays in Postgres.
import type { ErrorCode } from '../errors.ts';

/** The application as the workflow knows it: codes, fields and dates that the rules need. What was written stays in Postgres. */
export interface ApplicationSummary {
  services: string[];
  /** Why it cannot be submitted yet, in the order in which a person would mend it. */
  faults: ApplicationFault[];
  /** Credentials that have to be checked. */
  credentials: { check: string; validUntil: string | null }[];
}

/** An application's parts: each is written as a whole. */
export const applicationParts = [
  'displayName',
  'bio',
  'zone',
  'location',
  'radiusKm',
  'services',
  'availability',
  'credentials',
  'portfolio',
] as const;
export type ApplicationPart = (typeof applicationParts)[number];

/** What the rules know of each part that was written: codes, counts and dates. */
export interface KnownParts {
  displayName?: true;
  bio?: true;
  zone?: true;
  location?: true;
  radiusKm?: true;
  /** With what the catalogue demands for these services. */
  services?: { codes: string[]; licences: { category: string; name: string }[]; minPhotos: number };
  availability?: { openings: number };
  credentials?: { check: string; validUntil: string | null }[];
  portfolio?: { photos: number };
}

/** What a writer changes. The texts and numbers are a staged row, which the event makes effective. */
export interface ApplicationChanges {
  /** The position of the timeline that the writer had read. */
  basedOn: number;
  changed: ApplicationPart[];
  /** All parts as they are after these changes, as the writer saw them. */
  parts: KnownParts;
}

export interface ApplicationFault {
  code: Extract<ErrorCode, 'draft_incomplete' | 'portfolio_too_small'>;
  /** JSON pointer into the application. */
  field: string;
  message: string;
}
