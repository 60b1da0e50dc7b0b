import type { Actor } from './actor.ts';

/** What every command carries beside its own fields. `id` is the Update id and the command id on the timeline. */
export interface CommandMeta {
  id: string;
  by: Actor;
  /** The user an operator or agent acts for. */
  onBehalfOf?: string;
  /** Why: required of operators. */
  reason?: string;
  /** Positions of the stream that its sender accepts (If-Match). The run decides: refused as `precondition_failed` at any other. */
  expects?: number[];
}

/** What an Update answers once its command stands on the timeline. Views are read from Postgres afterwards. */
export interface CommandAnswer {
  /** Status of the stream's noun after the command. */
  status: string;
  /** Position of the stream after the command: the ETag. */
  seq: number;
  /** Nothing was written, for all was so already as far as the run knew its timeline: up to `seq`. */
  unchanged?: true;
}
