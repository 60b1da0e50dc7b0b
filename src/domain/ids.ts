const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const eventIdShape = /^[\w:.-]{1,64}$/;

/** An id of ours: RFC 9562, small letters, because streams and runs are named after it. */
export const isUuid = (value: unknown): value is string => typeof value === 'string' && uuidShape.test(value);

/** What a sender outside may call a fact, so that a repeated delivery is recognised. */
export const isEventId = (value: unknown): value is string => typeof value === 'string' && eventIdShape.test(value);
