import type { Client } from '@temporalio/client';
import type { Router } from 'express';
import type { Logger } from 'pino';
import type { Orm } from '../../db/orm.ts';
import type { PaymentNotice } from '../../contracts/payment.ts';
import type { Policy } from '../../domain/policy.ts';
import type { TokenVerifier } from './auth.ts';
import type { Commands } from './command.ts';
import type { Cursors } from './cursor.ts';
import type { EventFeed } from './event-hub.ts';
import type { IdempotencyStore } from './idempotency.ts';
import type { LimiterFactory, RateLimits } from './rate-limit.ts';
import type { AnyRoute } from './route-spec.ts';
import type { Users } from './users.ts';
import type { Guests } from './guests.ts';

/** The part of the configuration that the API reads; `Config` fits. */
export interface ApiConfig {
  /** For listening to notices, which needs a connection of its own. */
  database: { url: string };
  http: {
    host: string;
    port: number;
    /** Where clients reach this API, without a slash at the end: problem types and links start with it. */
    publicUrl: string;
    /** Number of proxies in front of this process whose X-Forwarded-For is believed. */
    trustProxyHops: number;
    commandDeadlineMs: number;
    /** Requests per minute and user. */
    rateLimitPerMinute: number;
    /** Requests per minute and address, for callers without a valid token. */
    rateLimitAnonymousPerMinute?: number | undefined;
    /** Origins that a browser may call from. Default: the same origin only. */
    corsOrigins?: readonly string[] | undefined;
    /** The most event streams that one user may hold open on this process. */
    eventStreamsPerUser?: number | undefined;
  };
  auth: {
    jwksUrl: string;
    issuer: string;
    audience: string;
    /** Signs guest sessions. Without it, guests are not served. */
    guestSecret?: string | undefined;
  };
  cursorSecret: string;
  /** Durations and limits for new runs. */
  policy: Policy;
}

/** What `server.ts` builds and everything below receives. */
export interface ApiDeps {
  config: ApiConfig;
  orm: Orm;
  temporal: Client;
  log: Logger;
  /** Checks whether the API may call an address that a user gave. @throws unsafe_url · temporarily_unavailable */
  checkUrl: (url: string) => Promise<void>;
}

/** Effects of the API on the outside. The defaults are built from the dependencies; contract tests pass their own. */
export interface Ports {
  tokens: TokenVerifier;
  users: Users;
  idempotency: IdempotencyStore;
  commands: Commands;
  feed: EventFeed;
  limiter: LimiterFactory;
  /**
   * Reads a report of the payment provider; undefined when there is no payment provider.
   * @returns undefined for a report that is not about our bookings
   * @throws signature_invalid
   */
  paymentNotice?: (body: Buffer, signature: string | undefined) => PaymentNotice | undefined;
  /** Each resolves when its server is reachable and rejects otherwise, within two seconds. */
  probes: { database: () => Promise<void>; temporal: () => Promise<void> };
}

/** What a feature file receives: register routes with `route(api, …)`, send commands with `api.commands`. */
export interface Api extends ApiDeps, Ports {
  router: Router;
  routes: AnyRoute[];
  cursors: Cursors;
  guests: Guests;
  limits: RateLimits;
  /** Aborted when the process begins to drain. Streams then end themselves. */
  draining: AbortSignal;
}

export type Feature = (api: Api) => void;

/** Features under one tag of the OpenAPI document. */
export interface Section {
  tag: string;
  /** One line about the features of this section. */
  description: string;
  features: readonly Feature[];
}
