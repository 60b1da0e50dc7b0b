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

/** Mean of a provider without reviews, until categories have a mean of their own. */
const meanRating = 4.2;

export interface MatchInput {
  requestId: string;
  /** Ids of the facts that were agreed to. */
  facts: string[];
  round: number;
  radiusKm: number;
  excluded: string[];
  policy: Policy;
  /** Who lost in a round up to this one may be asked again; runs of the first release do not say. */
  lostRounds?: number;
  /** After a booking that fell through: as many as may be asked, with the shortest time to answer. */
  priority?: boolean;
}

export type MatchingActivities = ReturnType<typeof matchingActivities>;

export function matchingActivities({ orm }: { orm: Orm }) {
  return {
    /** Who to ask in this round, best first, with suggested terms. Reads and keeps candidates; asks nobody. */
    async match({
      requestId,
      facts: factIds,
      round,
      radiusKm,
      excluded,
      policy,
      lostRounds = 0,
      priority = false,
    }: MatchInput): Promise<Omit<Invitation, 'offerId'>[]> {
      const em = orm.em.fork();
      const now = Date.now();
      const facts = await agreedFacts(em, factIds);
      const service = serviceOf(await loadCatalogue(em), facts['service'] as string);
      const when = facts['when'] as TimeWindow;
      const { lat, lon } = facts['location'] as Location;
      // The first slot suggested lies behind the time providers have to answer: it must still be there when somebody says yes.
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
 * Providers who have an offer of this request already: nobody is asked twice, unless an operator searches anew, or the one they
 * lost to has dropped out. Who declined or withdrew has said no, and is not asked again.
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
