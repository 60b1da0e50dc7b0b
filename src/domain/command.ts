import type { Actor } from './actor.ts';

/** Fields that every command has beside its own. `id` is the Update id and the command id on the timeline. */
export interface CommandMeta {
  id: string;
  by: Actor;
  /** Id of the user for whom an operator or agent acts. */
  onBehalfOf?: string;
  /** The reason. Operators must give one. */
  reason?: string;
  /**
   * Positions (`seq`) of the stream that the sender accepts, from If-Match. At any other position the run refuses with
   * `precondition_failed`.
   */
  expects?: number[];
}

/** The answer of an Update whose command stands on the timeline. The route then reads the view from Postgres. */
export interface CommandAnswer {
  /** Status of the stream's noun after the command. */
  status: string;
  /** Position of the stream after the command: the ETag. */
  seq: number;
  /** Nothing was written: as far as the run knew its timeline (up to `seq`), everything was already as the command wants it. */
  unchanged?: true;
}
