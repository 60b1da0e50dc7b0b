import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import { z } from 'zod';
import { DomainError, errorMessages, type ErrorCode } from '../../domain/errors.ts';
import { isPassing, statusOf } from './problem-guide.ts';
import { toProblem } from './problem.ts';
import { changes, hasBody, isIdempotent, successStatus, type AnyRoute } from './route-spec.ts';

const ProblemView = z
  .object({
    type: z.url().meta({ description: 'Stable; opens a page about the code.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'The contract: branch on this.' }),
    currentStatus: z.string().optional().meta({ description: 'State of the refused thing.' }),
    allowed: z.array(z.string()).optional().meta({ description: 'Commands its state allows.' }),
    next: z.array(z.object({ action: z.string(), title: z.string(), method: z.string().optional(), href: z.string().optional() })),
    fields: z.array(z.object({ in: z.enum(['body', 'query', 'path']).optional(), field: z.string(), message: z.string() })).optional(),
    current: z
      .unknown()
      .optional()
      .meta({ description: 'With `draft_changed`: the thing as it is now, in the shape in which it is read.' }),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** Every refusal that a route can answer: its own, and those that its declaration implies. */
export function errorsOf(spec: AnyRoute): ErrorCode[] {
  const own = new Set<ErrorCode>(spec.errors);
  const add = (condition: unknown, ...codes: ErrorCode[]) => condition && codes.forEach((code) => own.add(code));
  add(spec.auth !== 'public', 'unauthenticated', 'forbidden_role', 'suspended');
  add(true, 'rate_limited', 'temporarily_unavailable', 'internal');
  add(spec.params ?? spec.query ?? changes(spec), 'validation_failed');
  add(changes(spec), 'malformed', 'payload_too_large', 'unsupported_media_type');
  add(isIdempotent(spec), 'idempotency_key_missing', 'idempotency_in_flight', 'idempotency_key_reused');
  add(spec.ifMatch, 'precondition_failed');
  add(spec.ifMatch === 'required', 'precondition_required');
  return [...own].sort((a, b) => statusOf[a] - statusOf[b] || a.localeCompare(b));
}

function problemResponses(codes: ErrorCode[], publicUrl: string): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const status of new Set(codes.map((code) => statusOf[code]))) {
    const here = codes.filter((code) => statusOf[code] === status);
    const examples = here.map(
      (code) =>
        [code, { value: toProblem(new DomainError(code), { publicUrl, requestId: '6f1c1f0e-0b5c-4e0e-9a53-3a5b1f7d2c11' }) }] as const,
    );
    responses[`${status}`] = {
      description: here.map((code) => `\`${code}\`: ${errorMessages[code]}`).join(' · '),
      content: { 'application/problem+json': { schema: ProblemView, examples: Object.fromEntries(examples) } },
      ...(here.some(isPassing) && { headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } } }),
    };
  }
  return responses;
}

/** The page of the documentation replaces this example by a new key, because one key serves one request. */
export const exampleKey = '"8e03978e-40d5-43e8-bc93-6894a57f9324"';

const idempotencyKey = (required: boolean) => ({
  name: 'Idempotency-Key',
  in: 'header' as const,
  required,
  schema: { type: 'string' as const, minLength: 1, maxLength: 257 },
  example: exampleKey,
  description:
    'Unique per intention, remembered for 24 hours; a command that changed something keeps its answer for good. A string in quotes; bare tokens are understood too. ' +
    'The same key with the same request returns the first answer with `Idempotent-Replayed: true`, with another request 422.',
});

const ifMatchHeader = (required: boolean) => ({
  name: 'If-Match',
  in: 'header' as const,
  required,
  schema: { type: 'string' as const },
  description: 'ETag of the version you read, for example `"7"`.',
});

const pathOf = (path: string) => `/api/v1${path.replaceAll(/:([A-Za-z]+)/g, '{$1}')}`;

/** `POST /offers/:offerId/accept` → `postOffersAccept`. */
const operationIdOf = ({ method, path }: AnyRoute) => {
  const words = path
    .split(/[/.-]/)
    .map((step) => (step.startsWith(':') ? `By-${step.slice(1)}` : step))
    .flatMap((step) => step.split('-'))
    .filter(Boolean);
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
};

function operation(spec: AnyRoute, tag: string, publicUrl: string): ZodOpenApiOperationObject {
  const parameters = [
    ...(changes(spec) && spec.idempotent !== false && spec.auth !== 'public' ? [idempotencyKey(isIdempotent(spec))] : []),
    ...(spec.ifMatch ? [ifMatchHeader(spec.ifMatch === 'required')] : []),
  ];
  const media = spec.stream ?? spec.text ?? 'application/json';
  const content = spec.response && { content: { [media]: { schema: spec.response } } };
  return {
    operationId: operationIdOf(spec),
    tags: [tag],
    summary: spec.summary,
    ...(spec.description && { description: spec.description }),
    ...(spec.deprecated && { deprecated: true }),
    security: spec.auth === 'public' ? [] : [{ bearer: [] }],
    ...(spec.auth !== 'public' && { 'x-roles': spec.auth }),
    ...(parameters.length > 0 && { parameters }),
    requestParams: { ...(spec.params && { path: spec.params as never }), ...(spec.query && { query: spec.query as never }) },
    ...(hasBody(spec) && {
      requestBody: { required: !spec.body!.safeParse({}).success, content: { 'application/json': { schema: spec.body! } } },
    }),
    responses: {
      [`${successStatus(spec)}`]: {
        description: spec.summary,
        ...content,
        ...(spec.etag && { headers: { ETag: { schema: { type: 'string' }, description: 'Position of the thing; send it as If-Match.' } } }),
      },
      ...(spec.mayCreate && {
        '201': {
          description: `Made ${spec.mayCreate}.`,
          ...content,
          headers: { Location: { schema: { type: 'string' as const }, description: `Where to read ${spec.mayCreate}.` } },
        },
      }),
      ...problemResponses(errorsOf(spec), publicUrl),
    },
  };
}

/** The routes under one tag. */
export interface DocumentedSection {
  tag: string;
  description: string;
  routes: readonly AnyRoute[];
}

/**
 * The day for which the examples of src/contracts are written. The document moves every date in the examples by the days since
 * then, so that dates in the future stay in the future.
 */
export const exampleDay = '2026-01-01';
const isoDate = /^\d{4}-\d{2}-\d{2}(?=T|$)/;

/** An example with its dates moved to a given day. */
export function asOf(today: string, example: unknown): unknown {
  if (typeof example === 'string') {
    const days = Date.parse(today) - Date.parse(exampleDay);
    return example.replace(isoDate, (date) => new Date(Date.parse(date) + days).toISOString().slice(0, 10));
  }
  if (Array.isArray(example)) return example.map((item) => asOf(today, item));
  if (typeof example !== 'object' || example === null) return example;
  return Object.fromEntries(Object.entries(example).map(([key, value]) => [key, asOf(today, value)]));
}

/**
 * The OpenAPI 3.1 document: tags, paths and operations in the order of the sections. It depends only on the day. `verify`
 * compares the committed copy with the document of `exampleDay`.
 */
export function openApiDocument(
  sections: readonly DocumentedSection[],
  { publicUrl, today }: { publicUrl: string; today: string },
): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const { tag, routes } of sections) {
    for (const spec of routes) {
      paths[pathOf(spec.path)] = { ...paths[pathOf(spec.path)], [spec.method]: operation(spec, tag, publicUrl) };
    }
  }
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Proxie',
        version: '1.0.0',
        description:
          'A marketplace of services. Money is integer minor units with an ISO 4217 code, times are RFC 3339 with an IANA zone beside them. ' +
          'Unknown fields are refused. Refusals are RFC 9457 problems: branch on `code`, follow `next`.\n\n' +
          'In development `npm run token -- --subject alice --name "Alice Doe" --email alice@example.test` prints a token for a user of ' +
          'your own: paste it behind *Authorize*. How a production issuer is plugged in, which claims are read and what is refused stands ' +
          'in `docs/clients.md` of the repository.',
      },
      servers: [{ url: publicUrl }],
      tags: sections.map(({ tag, description }) => ({ name: tag, description })),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT (RFC 9068, or a guest session)' } } },
      paths,
    },
    {
      override({ jsonSchema }) {
        // Some instants are checked by custom rules, which JSON Schema cannot show. The schema shows their form on the wire.
        delete jsonSchema.$schema;
        if ('example' in jsonSchema) jsonSchema.example = asOf(today, jsonSchema.example);
      },
    },
  );
}
