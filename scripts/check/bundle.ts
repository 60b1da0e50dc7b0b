/** What the workflow bundle may contain beside src: the sandbox's own packages, and calendar arithmetic of the domain. */
const expected = /^(?:@temporalio\/(?:common|workflow)|long|ms|nexus-rpc|temporal-(?:polyfill|spec|utils))$/;

/** Packages in a bundle that nobody meant to put there. */
export function foreignPackages(code: string): string[] {
  const names = [...code.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => !expected.test(name)).sort();
}
