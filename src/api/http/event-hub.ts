import type { Logger } from 'pino';
import type { UserRole } from './auth.ts';

/** One event in the form that its reader gets. `position` orders the whole log, and a stream resumes from it. */
export interface FeedEvent {
  type: string;
  position: string;
}

/** The source of events: rows by position, and notices that say that more rows may exist. */
export interface EventFeed {
  /** Events that a user may see, oldest first. With `after: null` only the current position is read. */
  after(reader: {
    userId: string;
    role: UserRole;
    after: string | null;
    limit: number;
  }): Promise<{ events: FeedEvent[]; position: string }>;
  /** Ids of the users who may see events of a stream. Operators see all events and are not listed. */
  audienceOf(stream: string): Promise<string[]>;
  /** Connects again by itself when the connection is lost. `onListening` then says that notices may have been missed. */
  listen(channel: string, onPayload: (payload: string) => void, onListening: () => void): Promise<{ close(): Promise<void> }>;
}

/** A piece of an answer that is still being written. It is not part of the timeline, not stored, and cannot be resumed. */
export interface TurnDelta {
  userId: string;
  requestId: string;
  turnId: string;
  attempt: number;
  seq: number;
  delta: string;
}

export interface Subscriber {
  userId: string;
  role: UserRole;
  /** Says that new events may exist. Called often, so it must be cheap. */
  wake(): void;
  delta(delta: Omit<TurnDelta, 'userId'>): void;
}

/** A transaction that commits late becomes readable only after its notice, so the hub looks again after this time. Milliseconds. */
const secondLookMs = 300;

/** Listens once per process and wakes only the subscribers who may see something new. */
export function eventHub(feed: EventFeed, log: Logger) {
  const subscribers = new Map<string, Set<Subscriber>>();
  let listening: Promise<{ close(): Promise<void> }[]> | undefined;
  const looksLater = new Set<NodeJS.Timeout>();
  const noticed = new Set<string>();

  const all = () => [...subscribers.values()].flatMap((set) => [...set]);

  async function wakeAudience(stream: string): Promise<void> {
    const audience = await feed.audienceOf(stream);
    for (const userId of audience) for (const subscriber of subscribers.get(userId) ?? []) subscriber.wake();
    for (const subscriber of all()) if (subscriber.role === 'admin') subscriber.wake();
  }

  function onEvent(stream: string): void {
    // Several notices of one stream in a row cause one look-up.
    if (subscribers.size === 0 || noticed.has(stream)) return;
    noticed.add(stream);
    const look = () => wakeAudience(stream).catch((error: unknown) => log.warn({ err: error }, 'cannot tell who should hear of an event'));
    setImmediate(() => {
      noticed.delete(stream);
      void look();
    });
    const later = setTimeout(() => {
      looksLater.delete(later);
      void look();
    }, secondLookMs);
    looksLater.add(later);
  }

  function onTurn(payload: string): void {
    try {
      const { userId, ...delta } = JSON.parse(payload) as TurnDelta;
      for (const subscriber of subscribers.get(userId) ?? []) subscriber.delta(delta);
    } catch (error) {
      log.warn({ err: error }, 'unreadable turn delta');
    }
  }

  async function listen() {
    const wakeAll = () => all().forEach((subscriber) => subscriber.wake());
    return [await feed.listen('proxie_event', onEvent, wakeAll), await feed.listen('proxie_turn', onTurn, () => {})];
  }

  return {
    countOf: (userId: string): number => subscribers.get(userId)?.size ?? 0,
    /** Adds a subscriber. The first one starts the listening. @returns a function that removes the subscriber */
    async join(subscriber: Subscriber): Promise<() => void> {
      const set = subscribers.get(subscriber.userId) ?? new Set();
      subscribers.set(subscriber.userId, set.add(subscriber));
      const leave = () => {
        set.delete(subscriber);
        if (set.size === 0 && subscribers.get(subscriber.userId) === set) subscribers.delete(subscriber.userId);
      };
      try {
        await (listening ??= listen());
        return leave;
      } catch (error) {
        listening = undefined; // the next subscriber tries again
        leave();
        throw error;
      }
    },
    async close(): Promise<void> {
      for (const timer of looksLater) clearTimeout(timer);
      const listeners = (await listening?.catch(() => [])) ?? [];
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}
export type EventHub = ReturnType<typeof eventHub>;
