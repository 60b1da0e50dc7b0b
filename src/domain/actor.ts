/** Who does something. `system` is Proxie itself (timers, rules). */
export const actorRoles = ['guest', 'consumer', 'provider', 'admin', 'system'] as const;
export type ActorRole = (typeof actorRoles)[number];

export interface Actor {
  id: string;
  role: ActorRole;
}

/** Nil UUID: never the id of a user row. */
export const SYSTEM: Actor = { id: '00000000-0000-0000-0000-000000000000', role: 'system' };

/** Drops everything but id and role: histories and timelines keep nothing else of an actor. */
export const actorOf = ({ id, role }: Actor): Actor => ({ id, role });
