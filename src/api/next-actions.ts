import type { Request } from 'express';
import type { DomainError } from '../domain/errors.ts';
import type { Api } from './deps.ts';
import type { NextAction } from './problem.ts';
import type { NextStep } from './problem-guide.ts';
import type { AnyRoute } from './route-spec.ts';

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * Links for a refusal on this route: where to read the thing again, and every allowed command that has a route. They are
 * found in the routes themselves, so a link to a route that does not exist cannot be made.
 */
export function nextActions({ routes }: Api, { path }: AnyRoute, req: Request) {
  // `/offers/:offerId/accept` is about `/offers/:offerId`.
  const thing = /^(?:.*\/:[^/]+|\/[^/]+)/.exec(path)?.[0] ?? path;
  // Kept now: the router takes both back before an error is answered.
  const { baseUrl } = req;
  const params = { ...req.params };
  const filled = (template: string) =>
    `${baseUrl}${template.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(String(params[name])))}`;
  const exists = (method: string, template: string) => routes.some((route) => route.method === method && route.path === template);

  return (refusal: DomainError, step: NextStep): NextAction[] => {
    const reading = step.action === 'read' && exists('get', thing);
    const first: NextAction = reading ? { ...step, method: 'GET', href: filled(thing) } : step;
    const commands = (refusal.detail.allowed ?? [])
      .map((command) => ({ command, template: `${thing}/${kebab(command)}` }))
      .filter(({ template }) => exists('post', template))
      .map(({ command, template }): NextAction => ({
        action: command,
        title: `Possible now: ${command}.`,
        method: 'POST',
        href: filled(template),
      }));
    return [first, ...commands];
  };
}
