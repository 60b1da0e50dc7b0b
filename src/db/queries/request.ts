import type { MatchView, RequestView } from '../../contracts/request.ts';
import type { Actor } from '../../domain/actor.ts';
import type { RequestStatus } from '../../domain/request/machine.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, ownedBy, ownedRow, pageAfter, type PageInput } from './page.ts';
import { factsThatCount } from './draft.ts';

interface RequestRow extends Omit<RequestView, 'links'> {
  consumerId: string;
  catalogueVersion: number;
}

const selectRequests = `
  select r.id, r.consumer_id as "consumerId", r.status, r.status_reason as "statusReason", r.mode, r.service_code as service,
    r.catalogue_version as "catalogueVersion", r.missing, r.draft_hash as "draftHash", r.round, ${instantText('r.deadline')} as deadline,
    r.accepted_offer_id as "acceptedOfferId", r.booking_id as "bookingId", ${instantText('r.created_at')} as "createdAt", ${instantText('r.closed_at')} as "closedAt",
    (select max(seq) from event e where e.stream = 'request/' || r.id) as seq,
    coalesce((select jsonb_object_agg(f.key, f.value) from fact f where ${factsThatCount}), '{}') as facts
  from request r`;

/** @throws not_found, not_owner */
export async function requestFor(em: Db, actor: Actor, id: string): Promise<RequestView & { catalogueVersion: number }> {
  const [row] = await sql<RequestRow>(em, `${selectRequests} where r.id = ?`, [id]);
  const { catalogueVersion, ...view } = ownedRow(row, actor, ({ consumerId }) => [consumerId]);
  return { ...toRequestView(view), catalogueVersion };
}

/** A consumer's own requests, or everybody's for operators; newest first. */
export async function listRequests(em: Db, actor: Actor, page: PageInput & { status?: RequestStatus | undefined }): Promise<RequestView[]> {
  const owner = ownedBy(actor, 'r.consumer_id = ?');
  const after = pageAfter(page, 'r');
  const rows = await sql<RequestRow>(
    em,
    `${selectRequests} where (?::text is null or r.status = ?) ${owner.where} ${after.where} order by r.created_at desc, r.id desc limit ?`,
    [page.status ?? null, page.status ?? null, ...owner.params, ...after.params, page.limit + 1],
  );
  return rows.map(toRequestView);
}

export function toRequestView(row: Omit<RequestRow, 'consumerId' | 'catalogueVersion'>): RequestView {
  const { consumerId: _consumer, catalogueVersion: _version, ...view } = row as RequestRow;
  const self = `/api/v1/requests/${row.id}`;
  const links: Record<string, string> = {
    self,
    chat: `/api/v1/chat/${row.id}`,
    offers: `${self}/offers`,
    timeline: `${self}/timeline`,
    matches: `${self}/matches`,
  };
  if (row.bookingId) links.booking = `/api/v1/bookings/${row.bookingId}`;
  return { ...view, links };
}

interface MatchRow {
  consumerId: string;
  round: number;
  providerId: string;
  displayName: string;
  invited: boolean;
  score: number;
  gates: string[];
  contributions: Record<string, number>;
  distanceKm: number;
}

/** Why providers were asked: the consumer sees three reasons and one trade-off, an operator every line of the score. */
export async function matchesOf(em: Db, actor: Actor, requestId: string): Promise<MatchView[]> {
  const rows = await sql<MatchRow & { providerId: string | null }>(
    em,
    `select r.consumer_id as "consumerId", c.round, c.provider_id as "providerId", p.display_name as "displayName", c.invited, c.score, c.gates,
       c.contributions, c.distance_km as "distanceKm"
     from request r left join candidate c on c.request_id = r.id and (c.invited or ?) left join provider p on p.id = c.provider_id
     where r.id = ? order by c.round, c.score desc, c.provider_id limit 200`,
    [actor.role === 'admin', requestId],
  );
  ownedRow(rows[0], actor, ({ consumerId }) => [consumerId]);
  return rows.filter(({ providerId }) => providerId !== null).map((row) => toMatchView(row, actor.role === 'admin'));
}

/** The most points of each line (design: matching score). They tell a strength from a weakness. */
const ceilings: Record<string, number> = {
  skill: 22,
  availability: 16,
  travel: 14,
  price: 12,
  quality: 12,
  reliability: 12,
  response: 8,
  history: 4,
};

function toMatchView({ providerId, displayName, consumerId: _consumer, contributions, ...row }: MatchRow, everything: boolean): MatchView {
  const shares = Object.entries(ceilings)
    .map(([line, ceiling]) => ({ line, share: (contributions[line] ?? 0) / ceiling }))
    .sort((a, b) => b.share - a.share);
  return {
    ...row,
    distanceKm: Math.round(row.distanceKm * 10) / 10,
    provider: { id: providerId, displayName },
    reasons: shares.slice(0, 3).map(({ line }) => line),
    tradeOff: shares.at(-1)?.line ?? null,
    contributions: everything ? contributions : null,
  };
}
