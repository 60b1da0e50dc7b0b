/** The answer has more bytes than a correct answer needs. */
export class TooLarge extends Error {
  constructor(limit: number) {
    super(`The model's answer is larger than ${limit} bytes.`);
    this.name = 'TooLarge';
  }
}

/**
 * A `fetch` whose body fails after `maxBytes` bytes. Without this limit, the SSE decoder would keep an endless line in memory.
 * @throws TooLarge while the body is read
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
