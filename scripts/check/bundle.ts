/** Packages that the workflow bundle may contain beside src: those of the sandbox, and those for the domain's calendar arithmetic. */
const expected = /^(?:@temporalio\/(?:common|workflow)|long|ms|nexus-rpc|temporal-(?:polyfill|spec|utils))$/;

/** Names of the packages in a bundle that do not belong there. */
export function foreignPackages(code: string): string[] {
  const names = [...code.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].map((match) => match[1] ?? '');
  return [...new Set(names)].filter((name) => !expected.test(name)).sort();
}
