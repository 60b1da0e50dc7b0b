/** More bytes than any honest answer needs. */
export class TooLarge extends Error {
  constructor(limit: number) {
    super(`The model's answer is larger than ${limit} bytes.`);
    this.name = 'TooLarge';
  }
}

/**
 * A `fetch` that stops reading after `maxBytes`, whatever the body is: the SSE decoder would otherwise hold a single
 * endless line in memory before anybody could count it.
 */
export function cappedFetch(maxBytes: number, inner: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    if (!response.body) return response;
    let seen = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          seen += chunk.byteLength;
          if (seen > maxBytes) controller.error(new TooLarge(maxBytes));
          else controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, { status: response.status, statusText: response.statusText, headers: response.headers });
  };
}
