// Releases expired holds that still take up a seat.
import { SYSTEM } from '../../domain/actor.ts';
import { sql, type Db } from '../orm.ts';

interface InTheWay {
  providerId: string;
  /** A Postgres range: the slot that is wanted, with its buffers. */
  occupied: string;
  at: string;
}

/**
 * Releases the expired holds of one provider that overlap a slot. The calendar lists their slots as free, so a booking must be
 * able to take them, even before the runs of these holds have released them.
 * The release is written to the timeline of each hold, where its run finds it. When a run writes to its timeline at the same
 * moment, the run wins, and its hold stays.
 */
export async function releaseExpiredHolds(tx: Db, { providerId, occupied, at }: InTheWay): Promise<void> {
  await sql(
    tx,
    `with expired as (
       select b.id, b.consumer_id, b.provider_id, 'booking/' || b.id as stream,
         exists (select 1 from payment p where p.booking_id = b.id and p.status in ('requested', 'authorised')) as settling
       from booking b where b.provider_id = ? and b.status = 'held' and b.held_until <= ? and b.occupied && ?::tstzrange),
     written as (
       insert into event (stream, seq, command_id, part, type, actor_id, actor_role, at, data, audience)
       select x.stream, (select max(seq) + 1 from event e where e.stream = x.stream), 'release/expired', 0, 'booking.released', ?, 'system', ?,
         jsonb_build_object('code', 'hold_expired') || case when x.settling then '{"settling": true}'::jsonb else '{}'::jsonb end,
         array[x.consumer_id, x.provider_id]
       from expired x on conflict do nothing returning stream, seq),
     told as (
       insert into notification (recipient_id, kind, stream, seq, data)
       select recipient, 'booking_released', w.stream, w.seq, '{}' from written w join expired x using (stream),
         unnest(array[x.consumer_id, x.provider_id]) as recipient on conflict do nothing),
     closed as (delete from open_stream o using written w join expired x using (stream) where o.stream = w.stream and not x.settling)
     update booking b set status = 'released', status_reason = 'hold_expired', closed_at = ?
     from written w join expired x using (stream) where b.id = x.id and b.status = 'held'`,
    [providerId, at, occupied, SYSTEM.id, at, at],
    { prepared: true },
  );
}
