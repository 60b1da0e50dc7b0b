import type { Request } from 'express';
import type { DomainError } from '../../domain/errors.ts';
import type { Api } from './deps.ts';
import type { NextAction, NextStep } from './problem-guide.ts';
import type { AnyRoute } from './route-spec.ts';

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * Makes the links of a refusal on this route: one to read the thing again, and one for every allowed command that has a route.
 * `allowed` contains verbs, or moves of the thing's machine; the path of a move is its name.
 * The links are looked up in the registered routes, so no link can lead to a route that does not exist.
 */
export function nextActions({ routes }: Api, { path }: AnyRoute, req: Request) {
  // `/offers/:offerId/accept` belongs to the thing `/offers/:offerId`.
  const thing = /^(?:.*\/:[^/]+|\/[^/]+)/.exec(path)?.[0] ?? path;
  // Read now, because the router resets `baseUrl` and `params` before an error is answered.
  const { baseUrl } = req;
  const own = { ...req.params };
  const pathOf = (command: string) => {
    const template = `${thing}/${kebab(command)}`;
    return exists('post', template) ? template : (routes.find(({ verb }) => verb === command)?.path ?? template);
  };
  const exists = (method: string, template: string) => routes.some((route) => route.method === method && route.path === template);

  return (refusal: DomainError, step: NextStep): NextAction[] => {
    const params: Record<string, unknown> = { ...own, ...refusal.detail.ids };
    const filled = (template: string) =>
      `${baseUrl}${template.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(String(params[name])))}`;
    const fits = (template: string) => [...template.matchAll(/:([A-Za-z]+)/g)].every(([, name]) => name! in params);
    const reading = step.action === 'read' && exists('get', thing);
    const first: NextAction = reading ? { ...step, method: 'GET', href: filled(thing) } : step;
    const commands = (refusal.detail.allowed ?? [])
      .map((command) => ({ command, template: pathOf(command) }))
      .filter(({ template }) => fits(template) && exists('post', template))
      .map(({ command, template }): NextAction => ({
        action: command,
        title: `Possible now: ${command}.`,
        method: 'POST',
        href: filled(template),
      }));
    return [first, ...commands];
  };
}
