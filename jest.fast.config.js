// The tests that need no server (npm run verify): same settings, without the set-up that starts one.
import all from './jest.config.js';

const { globalSetup: _setup, globalTeardown: _teardown, ...settings } = all;
export default { ...settings, testMatch: ['unit', 'contract', 'replay'].map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`) };
