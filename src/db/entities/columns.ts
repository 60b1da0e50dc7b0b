// Column shapes that every entity uses the same way.
import { p } from '@mikro-orm/core';

/** An instant with millisecond precision, like a JavaScript Date. */
export const instant = () => p.datetime().columnType('timestamptz(3)');
/** Set by the database when the row is inserted. */
export const insertedAt = () => instant().defaultRaw('now()');
/** A uuid without a foreign key: staged rows are written before the row that they belong to. */
export const looseId = () => p.uuid();
/** Half-open interval of instants, `[)`. */
export const interval = () => p.string().columnType('tstzrange');
/** Integer minor units. */
export const minorUnits = () => p.integer();
export const json = <T>() => p.json<T>();
