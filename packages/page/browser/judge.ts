/** The judge, in a file of its own: only who verifies loads it. */
export { rolloutVerifier } from '@serin/core/model/rollout/verify';
