// The parts of an application that a run may know: codes, counts and dates. The texts stay in Postgres.
import type { ErrorCode } from '../errors.ts';

/** The application as the workflow knows it: the codes, fields and dates that the rules need. */
export interface ApplicationSummary {
  services: string[];
  /** Reasons why the application cannot be submitted yet, in the order in which a person would fix them. */
  faults: ApplicationFault[];
  /** Credentials that have to be checked. */
  credentials: { check: string; validUntil: string | null }[];
}

/** The parts of an application. A write replaces whole parts. */
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

/** What the rules know of each written part: codes, counts and dates. */
export interface KnownParts {
  displayName?: true;
  bio?: true;
  zone?: true;
  location?: true;
  radiusKm?: true;
  /** The codes of the services, and what the catalogue demands for them. */
  services?: { codes: string[]; licences: { category: string; name: string }[]; minPhotos: number };
  availability?: { openings: number };
  credentials?: { check: string; validUntil: string | null }[];
  portfolio?: { photos: number };
}

/** A writer's changes to an application. The texts and numbers are a staged row, which the event makes effective. */
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
