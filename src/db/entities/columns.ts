// Column shapes that every entity uses the same way.
import { p } from '@mikro-orm/core';

/** An instant with millisecond precision: what JavaScript can hold. */
export const instant = () => p.datetime().columnType('timestamptz(3)');
/** Set by the database when the row is inserted. */
export const insertedAt = () => instant().defaultRaw('now()');
/** A uuid that points at a row whose existence is not enforced (staged rows come before what they belong to). */
export const looseId = () => p.uuid();
/** Half-open interval of instants, `[)`. */
export const interval = () => p.string().columnType('tstzrange');
/** Integer minor units. */
export const minorUnits = () => p.integer();
export const json = <T>() => p.json<T>();
