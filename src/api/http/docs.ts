import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Router, type Request, type Response } from 'express';
import { errorCodes, errorMessages, isErrorCode, type ErrorCode } from '../../domain/errors.ts';
import { exampleKey } from './openapi.ts';
import { nextStep, statusOf } from './problem-guide.ts';

const swaggerFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/**
 * Swagger UI sets `style` attributes and embeds its icons as data: URLs. Everything else comes from this server, so the page
 * works offline.
 */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>Proxie API</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body><div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script></body>
</html>
`;
/**
 * Swagger UI fills in the example of every parameter. The same Idempotency-Key on two different requests would be refused, so
 * the page makes a new key.
 */
const startScript = `const freshKey = (request) => {
  const { headers = {} } = request;
  if (headers['Idempotency-Key'] === ${JSON.stringify(exampleKey)}) headers['Idempotency-Key'] = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return request;
};
window.addEventListener('load', () => SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false, requestInterceptor: freshKey }));
`;
const servedFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'favicon-16x16.png'];

/**
 * Serves `/api/openapi.json`, `/api/docs`, and a page per problem type. Pages have no inline script and load nothing from other
 * servers.
 */
export function docsRoutes(openApi: (today: string) => object): Router {
  const router = Router({ caseSensitive: true });
  let of = { today: '', json: '' };
  /** The document is built once a day, because its examples lie in the future. */
  function documentText(): string {
    const today = new Date().toISOString().slice(0, 10);
    if (of.today !== today) of = { today, json: JSON.stringify(openApi(today)) };
    return of.json;
  }
  router.get(
    '/api/openapi.json',
    (_req, res) => void res.type('application/json').set('cache-control', 'public, max-age=60').send(documentText()),
  );
  const html = (res: Response, text: string) =>
    res.type('html').set('content-security-policy', pagePolicy).set('cache-control', 'public, max-age=300').send(text);
  router.get('/api/docs', (_req, res) => void html(res, page));
  router.get('/api/docs/start.js', (_req, res) => void res.type('text/javascript').send(startScript));
  for (const file of servedFiles) router.get(`/api/docs/${file}`, (_req, res) => res.sendFile(join(swaggerFolder, file), { maxAge: '1d' }));
  router.get('/favicon.ico', (_req, res) => res.type('png').sendFile(join(swaggerFolder, 'favicon-32x32.png'), { maxAge: '1d' }));
  router.get('/problems', (_req, res) => void html(res, problemsPage(errorCodes)));
  router.get('/problems/:code', (req: Request, res, next) =>
    isErrorCode(req.params.code) ? void html(res, problemsPage([req.params.code])) : next(),
  );
  return router;
}

function problemsPage(codes: readonly ErrorCode[]): string {
  const rows = codes.map(
    (code) =>
      `<tr><td><a href="/problems/${code}">${code}</a></td><td>${statusOf[code]}</td><td>${errorMessages[code]}</td><td>${nextStep[code].title.replaceAll('<', '&lt;')}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Problems</title><link rel="icon" href="/favicon.ico"></head><body><table><thead><tr><th>code</th><th>status</th><th>meaning</th><th>what to do next</th></tr></thead><tbody>${rows.join('')}</tbody></table></body></html>\n`;
}

/** The text of docs/generated/error-codes.md. */
export function errorCodesMarkdown(): string {
  const rows = [...errorCodes]
    .sort((a, b) => statusOf[a] - statusOf[b] || a.localeCompare(b))
    .map((code) => `| ${statusOf[code]} | \`${code}\` | ${errorMessages[code]} | ${nextStep[code].title} |`);
  return `# Error codes\n\nEvery refusal is an RFC 9457 problem with one of these codes. Codes are added, never renamed.\n\n| Status | Code | Meaning | What to do next |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}
