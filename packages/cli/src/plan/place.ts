import type { CloudFacts } from '@serin/clouds/facts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';

export interface Place {
  readonly account: string;
  readonly region: string;
}

const parts = ['account', 'region'] as const;
type Said = Partial<Record<(typeof parts)[number], string>>;

/** What stands for a part that nobody has said: nothing asks the cloud. */
const unsaid = (part: keyof Place): string => `<${part}>`;

export const isSaid = (place: Place): boolean => parts.every((part) => place[part] !== unsaid(part));

/**
 * Where it is planned for or deployed to: as it was asked for, else as the settings keep it, else as the environment says.
 * Misspelt, or not where the installation of these settings is: a `Failure`.
 */
export function placeOf(
  invocation: Pick<Invocation, 'options' | 'env'>,
  { places }: CloudFacts,
  settings: Readonly<Record<string, unknown>> = {},
): Place {
  const said: Said = {};
  for (const part of parts) {
    const field = places.kept?.[part];
    const asked = textOption(invocation, part);
    const kept = field === undefined ? undefined : settings[field];
    if (asked !== undefined && kept !== undefined && asked !== kept)
      throw new Failure(2, `the ${part} '${asked}' is not that of the settings, where ${field} is '${kept}'`, {
        mend: `leave --${part} out; an installation elsewhere has a copy of Serin's repository of its own`,
      });
    const [fromEnvironment] = places[`${part}Variables`].flatMap((name) => invocation.env[name] ?? []);
    const value = asked ?? kept ?? fromEnvironment;
    if (value === undefined) continue;
    if (typeof value !== 'string' || !places[part].of.test(value))
      throw new Failure(2, `the ${part} '${value}' is not valid`, { mend: places[part].mend });
    said[part] = value;
  }
  return { account: said.account ?? unsaid('account'), region: said.region ?? unsaid('region') };
}

/** What of it the settings are to keep. */
export const keptOf = ({ places: { kept } }: CloudFacts, place: Place): Readonly<Record<string, string>> =>
  kept === undefined
    ? {}
    : Object.fromEntries(parts.filter((part) => place[part] !== unsaid(part)).map((part) => [kept[part], place[part]]));
