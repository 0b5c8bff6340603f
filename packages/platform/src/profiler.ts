import type { Profiler } from '@serin/core/drift/profiler';

/** The profiler of every platform. Its readers are loaded when the first dataset comes, not when a process starts. */
export const loadProfiler = async (): Promise<Profiler> => (await import('@serin/profile/profiler')).profiler;
