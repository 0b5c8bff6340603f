/**
 * For how long every installation keeps copies of requests, in days: the stores that hold them forget by place and age,
 * not by model.
 */
export const capturedDays = 14;
