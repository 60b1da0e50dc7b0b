// Request bodies of the OpenAPI document, with the example that Swagger UI fills in for its reader.
import type { Json } from './http.ts';

export interface DocumentedBody {
  /** `POST /offers/{offerId}/accept` */
  operation: string;
  method: string;
  /** Below /api/v1. */
  path: string;
  /** undefined when the operation has no example. */
  example: Json;
  /** Status codes that the document lists for success. */
  success: number[];
}

export function documentedBodies({ paths, components }: Json): DocumentedBody[] {
  return Object.entries<Json>(paths).flatMap(([whole, methods]) =>
    Object.entries<Json>(methods).flatMap(([method, { requestBody, responses }]) => {
      if (!requestBody) return [];
      const path = whole.replace('/api/v1', '');
      const { schema, example } = requestBody.content['application/json'];
      const named = schema.$ref ? components.schemas[schema.$ref.split('/').at(-1)] : schema;
      const success = Object.keys(responses)
        .map(Number)
        .filter((status) => status < 300);
      const shown = example ?? named.example;
      return [{ operation: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, example: shown, success }];
    }),
  );
}
