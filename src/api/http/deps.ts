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

/** What the API reads of the process's configuration; `Config` fits. */
export interface ApiConfig {
  /** For listening, which needs a connection of its own. */
  database: { url: string };
  http: {
    host: string;
    port: number;
    /** Where clients reach this API, without a slash at the end: problem types and links start with it. */
    publicUrl: string;
    /** Proxies in front of us whose X-Forwarded-For is believed. */
    trustProxyHops: number;
    commandDeadlineMs: number;
    /** Requests per minute and user. */
    rateLimitPerMinute: number;
    /** The same per address, for those without a valid token. */
    rateLimitAnonymousPerMinute?: number | undefined;
    /** Origins a browser may call from; none means the same origin only. */
    corsOrigins?: readonly string[] | undefined;
    /** Open event streams one user may hold on this process. */
    eventStreamsPerUser?: number | undefined;
  };
  auth: {
    jwksUrl: string;
    issuer: string;
    audience: string;
    /** Signs guest sessions; without it there are none. */
    guestSecret?: string | undefined;
  };
  cursorSecret: string;
  /** Durations and limits that new executions get. */
  policy: Policy;
}

/** What `server.ts` builds and everything below receives. */
export interface ApiDeps {
  config: ApiConfig;
  orm: Orm;
  temporal: Client;
  log: Logger;
  /** Whether an address of a stranger's may be called at all. @throws unsafe_url · temporarily_unavailable */
  checkUrl: (url: string) => Promise<void>;
}

/** What the API does to the outside. Defaults are built from the dependencies; contract tests put their own in place. */
export interface Ports {
  tokens: TokenVerifier;
  users: Users;
  idempotency: IdempotencyStore;
  commands: Commands;
  feed: EventFeed;
  limiter: LimiterFactory;
  /** Reads what the payment provider sends; absent without one. @returns undefined for what is not about our bookings @throws signature_invalid */
  paymentNotice?: (body: Buffer, signature: string | undefined) => PaymentNotice | undefined;
  /** Resolve when reachable, reject when not; both within two seconds. */
  probes: { database: () => Promise<void>; temporal: () => Promise<void> };
}

/** What a feature file receives: register routes with `route(api, …)`, send commands with `api.commands`. */
export interface Api extends ApiDeps, Ports {
  router: Router;
  routes: AnyRoute[];
  cursors: Cursors;
  guests: Guests;
  limits: RateLimits;
  /** Aborted when the process begins to drain: streams end themselves. */
  draining: AbortSignal;
}

export type Feature = (api: Api) => void;

/** Features under one tag of the OpenAPI document. */
export interface Section {
  tag: string;
  /** One line: what somebody finds here. */
  description: string;
  features: readonly Feature[];
}
