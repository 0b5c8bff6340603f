import { retryableBy } from '@serin/platform/jobs/results';

/** Why SageMaker failed a job, where that is worth another attempt. */
export const retryableOf = retryableBy({
  // "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
  // (as rse-grand-challenge of DIAGNijmegen matches it)
  capacity: /CapacityError|insufficient capacity|not enough capacity/i,
  // "InternalServerError: We encountered an internal error.  Please try again." (DIAGNijmegen/rse-grand-challenge)
  interruption: /^InternalServerError|internal error/i,
});
