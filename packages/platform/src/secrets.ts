import { Fault } from '@serin/core/base/fault';

/** The secrets of incoming webhooks: several of each while one is replaced. */
export interface WebhookSecrets {
  readonly github: readonly string[];
  readonly standard: readonly string[];
}

export const noSecrets: WebhookSecrets = { github: [], standard: [] };

/** The secrets in a text such as `{"github": [...], "standard": [...]}`; `holder` names in errors where it is kept. */
export function secretsIn(text: string, holder: string): WebhookSecrets {
  try {
    const { github = [], standard = [] } = JSON.parse(text) as Record<string, unknown>;
    if (areTexts(github) && areTexts(standard)) return { github, standard };
  } catch {
    // The error must not repeat the text.
  }
  throw new Fault('invalid', `${holder} does not hold {"github": [...], "standard": [...]}; write it in this form`);
}

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
