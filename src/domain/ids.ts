const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const eventIdShape = /^[\w:.-]{1,64}$/;

/**
 * Whether a value is an id of ours: a UUID (RFC 9562) in small letters. Streams and runs are named after ids, so each id has one spelling.
 */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && uuidShape.test(value);

/**
 * Whether a value may be the id that an outside sender gives to a fact: 1 to 64 characters. A repeated delivery is recognised by this id.
 */
export const isEventId = (value: unknown): value is string => typeof value === 'string' && eventIdShape.test(value);
