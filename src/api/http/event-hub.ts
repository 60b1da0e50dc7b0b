import type { Logger } from 'pino';
import type { UserRole } from './auth.ts';

/** One event as a reader sees it; `position` orders the whole log and resumes a stream. */
export interface FeedEvent {
  type: string;
  position: string;
}

/** Where events come from: rows by position, and notices that there may be more. */
export interface EventFeed {
  /** Events a user may see, oldest first. `after: null` asks for nothing but the current position. */
  after(reader: {
    userId: string;
    role: UserRole;
    after: string | null;
    limit: number;
  }): Promise<{ events: FeedEvent[]; position: string }>;
  /** Users who may see something of a stream; operators may see all and are not listed. */
  audienceOf(stream: string): Promise<string[]>;
  /** Comes back by itself when the connection is lost; `onListening` says that notices may have been missed. */
  listen(channel: string, onPayload: (payload: string) => void, onListening: () => void): Promise<{ close(): Promise<void> }>;
}

/** A part of an answer that is still being written: out of band, not stored, not resumable. */
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
  /** There may be new events; called often, must be cheap. */
  wake(): void;
  delta(delta: Omit<TurnDelta, 'userId'>): void;
}

/** Late commits become readable only after the notice: look again a little later. */
const secondLookMs = 300;

/** One listener per process wakes exactly those subscribers who may see something new. */
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
    // A burst on one stream is one look-up.
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
    /** Listens from the first subscriber on. @returns the way to leave */
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
