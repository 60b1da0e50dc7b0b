// Property tests look at the same cases every time: a failure is somebody's change, not somebody's luck. Other cases:
// PROXIE_TEST_SEED=7 npm test -- test/unit
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['PROXIE_TEST_SEED'] ?? 20_261_129) });
