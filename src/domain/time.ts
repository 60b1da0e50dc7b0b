/** An instant in RFC 3339, UTC. @param ms milliseconds since the epoch */
export const iso = (ms: number): string => new Date(ms).toISOString();
