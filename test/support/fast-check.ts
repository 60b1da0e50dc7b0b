// Property tests run the same cases every time, so that a failure comes from a change of the code and not from chance. For
// other cases: PROXIE_TEST_SEED=7 npm test -- test/unit
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['PROXIE_TEST_SEED'] ?? 20_261_129) });
