import { where } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: of any resource
type Inputs = any;

/** What Google would answer for a resource, as far as others ask for it. */
export const answerOf = (
  type: string,
  name: string,
  inputs: Inputs,
): { readonly id: string; readonly state: Inputs } => ({
  id: `${name}-id`,
  state: {
    name,
    ...inputs,
    ...(type === 'gcp:cloudfunctionsv2/function:Function'
      ? { serviceConfig: { ...inputs.serviceConfig, uri: `https://${inputs.name}-x.a.run.app` } }
      : {}),
  },
});

/** What Google would answer to a question. */
export const answerTo = (token: string): Inputs =>
  token === 'gcp:organizations/getProject:getProject' ? { number: where.number, projectId: where.account } : {};
