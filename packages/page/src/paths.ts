/** The pages of things, by what they are called. */

const part = encodeURIComponent;

export const modelPath = (model: string): string => `/models/${part(model)}`;
export const versionPath = (model: string, number: number): string => `/models/${part(model)}/versions/${number}`;
export const runPath = (id: string): string => `/runs/${part(id)}`;
export const rolloutPath = (id: string): string => `/rollouts/${part(id)}`;
