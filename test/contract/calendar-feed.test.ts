import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openApiJson } from '../../src/api/http/generate.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
beforeAll(async () => {
  keys = await startIssuer();
  api = await startApi(keys.url);
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});

const token = 'Zm9yLXRoZS1jYWxlbmRhci1hcHAtYW5kLW5vYm9keS1lbHNl';

describe('the address of a calendar feed is a secret', () => {
  it.each([
    `/api/v1/calendars/${token}.ics`,
    `/api/v1/calendars/${token}`,
    `/api/v1//calendars//${token}.ics`,
    `/api/v1/CALENDARS/${token}.ics`,
    `/api/v1/calendars/${token}.ics?x=${token}`,
  ])('asked for %s, no log line holds the token, whatever the answer', async (path) => {
    api.logged.length = 0;
    // There is no database behind this API: the errors are logged as well.
    const { status, text } = await api.send(path);
    expect([404, 422, 500, 503]).toContain(status);
    expect(text).not.toContain(token);
    expect(api.logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(api.logged)).not.toContain(token);
  });
});

describe('the OpenAPI document', () => {
  it('shows calendars as text/calendar and the public one without a bearer token', () => {
    const { paths } = JSON.parse(openApiJson());
    const feed = paths['/api/v1/calendars/{token}.ics'].get;
    expect(feed).toMatchObject({ operationId: 'getCalendarsByTokenIcs', security: [] });
    expect(Object.keys(feed.responses['200'].content)).toEqual(['text/calendar']);
    expect(feed.parameters).toMatchObject([{ in: 'path', name: 'token' }]);
    expect(paths['/api/v1/providers/me/calendar.ics'].get).toMatchObject({
      operationId: 'getProvidersMeCalendarIcs',
      security: [{ bearer: [] }],
    });
  });
});
