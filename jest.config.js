// Node strips the types itself: no transformer, no build step.
const common = {
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
};
export default {
  ...common,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Generous: a shared machine stands still for seconds, and only a failure waits this long.
  testTimeout: 180_000,
  setupFiles: ['<rootDir>/test/support/fast-check.ts'],
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/support/sequencer.ts',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};
