import { loadCalendars } from '../db/calendar.ts';
import { sql, type Db, type Orm } from '../db/orm.ts';
import { loadCatalogue } from '../db/queries/catalogue.ts';
import { agreedFacts } from '../db/queries/draft.ts';
import { nearestProviders, storeCandidates } from '../db/queries/matching.ts';
import { serviceOf, type Location, type TimeWindow } from '../domain/intake/catalogue.ts';
import { groupSize, scoreCandidate } from '../domain/request/matching.ts';
import type { Money } from '../domain/money.ts';
import { urgencyOf, type Policy } from '../domain/policy.ts';
import { iso } from '../domain/time.ts';
import type { Invitation } from '../domain/request/offer.ts';

/** Mean rating that counts for a provider without reviews, until categories have means of their own. */
const meanRating = 4.2;

export interface MatchInput {
  requestId: string;
  /** Ids of the facts that the consumer agreed to. */
  facts: string[];
  round: number;
  radiusKm: number;
  excluded: string[];
  policy: Policy;
  /** Providers who lost in a round up to this one may be asked again. */
  lostRounds: number;
  /** Set after a booking fell through: as many invitations as are allowed, with the shortest time to answer. */
  priority?: boolean;
}

export type MatchingActivities = ReturnType<typeof matchingActivities>;

export function matchingActivities({ orm }: { orm: Orm }) {
  return {
    /** The providers to invite in this round, best first, with suggested terms. Stores the scored candidates and invites nobody. */
    async match({
      requestId,
      facts: factIds,
      round,
      radiusKm,
      excluded,
      policy,
      lostRounds,
      priority = false,
    }: MatchInput): Promise<Omit<Invitation, 'offerId'>[]> {
      const em = orm.em.fork();
      const now = Date.now();
      const facts = await agreedFacts(em, factIds);
      const service = serviceOf(await loadCatalogue(em), facts['service'] as string);
      const when = facts['when'] as TimeWindow;
      const { lat, lon } = facts['location'] as Location;
      // The first suggested slot begins after the providers' time to answer: it must still lie ahead when somebody says yes.
      const answered = now + policy.roundWindowMs[priority ? 'urgent' : urgencyOf(when.to, now)];
      const earliest = Math.max(Date.parse(when.from), answered);
      const from = earliest < Date.parse(when.to) ? earliest : Date.parse(when.from);
      const job = { from, to: Date.parse(when.to), ceiling: (facts['budget'] as Money | undefined)?.amount ?? null, meanRating };
      const asked = await askedBefore(em, requestId, lostRounds);
      const { code, category, licence } = service;
      const rows = await nearestProviders(em, {
        service: code,
        category,
        needsLicence: licence !== null,
        lat,
        lon,
        to: when.to,
        radiusKm,
        excluded: [...excluded, ...asked],
      });
      const calendars = await loadCalendars(
        em,
        rows.map(({ providerId }) => providerId),
        code,
        { from: job.from, to: job.to, now },
      );
      const scored = rows.map((row) => ({
        ...scoreCandidate(row, calendars.get(row.providerId), job, now),
        distanceKm: row.distanceKm,
        price: row.price,
      }));
      await storeCandidates(em, requestId, round, scored);
      return scored
        .filter(({ gates }) => gates.length === 0)
        .sort((a, b) => b.score - a.score || a.providerId.localeCompare(b.providerId))
        .slice(0, priority ? policy.invitationsMax : groupSize(policy))
        .map(({ providerId, score, price, slot }) => ({
          providerId,
          score,
          price,
          currency: service.currency,
          startsAt: iso(slot!.start),
          endsAt: iso(slot!.end),
          zone: when.zone,
        }));
    },
  };
}

/**
 * Providers who are not asked again, because they were invited to this request before. Two cases do not count: an operator searches anew,
 * or the offer lost to a provider who has dropped out. A provider who declined or withdrew has said no, and is not asked again.
 */
async function askedBefore(em: Db, requestId: string, lostRounds: number): Promise<string[]> {
  const rows = await sql<{ provider_id: string }>(
    em,
    `select distinct provider_id from offer where request_id = ? and status_reason is distinct from 'rematched'
       and not (round <= ? and status in ('superseded', 'expired'))`,
    [requestId, lostRounds],
  );
  return rows.map(({ provider_id }) => provider_id);
}
