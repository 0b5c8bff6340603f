import type { Azure, Call } from '../calls/azure.ts';
import { type MlPlace, mlCall } from '../calls/ml.ts';
import { ifThere } from '../faults.ts';
import { nameOfDeployment } from '../names.ts';

type Shares = Readonly<Record<string, number>>;

/** An endpoint of Azure ML, as far as it is read or sent again. */
export interface Endpoint {
  readonly id?: string;
  readonly location: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kind?: string;
  readonly sku?: object;
  readonly identity?: {
    readonly type: string;
    readonly userAssignedIdentities?: Readonly<Record<string, object>>;
  };
  readonly properties: {
    readonly authMode: string;
    readonly description?: string;
    readonly properties?: Readonly<Record<string, string>>;
    readonly publicNetworkAccess?: string;
    readonly compute?: string;
    readonly provisioningState?: string;
    /** Percent by deployment. */
    readonly traffic?: Shares | null;
    readonly mirrorTraffic?: Shares | null;
  };
}

/** A deployment, by our name. */
export interface Deployed {
  readonly name: string;
  /** Its resource id. */
  readonly id: string;
  readonly state: string;
  /** Where the operation that made it is looked at; '' where Azure ML does not say. */
  readonly operation: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Percent of its requests that is collected. */
  readonly captured: number;
}

interface Page {
  readonly value?: readonly {
    readonly id?: string;
    readonly name?: string;
    readonly tags?: Readonly<Record<string, string>> | null;
    readonly properties?: {
      readonly provisioningState?: string;
      readonly properties?: { readonly AzureAsyncOperationUri?: string } | null;
      readonly dataCollector?: {
        readonly collections?: Readonly<Record<string, { readonly samplingRate?: number } | undefined>>;
      } | null;
    };
  }[];
  readonly nextLink?: string | null;
}

/** What Azure ML says now of endpoints and their deployments. */
export function mlEndpoints({ azure, ...place }: MlPlace & { readonly azure: Azure }) {
  const path = (name: string) => `onlineEndpoints/${name}`;

  return {
    /** `undefined`: there is none. */
    describe: (name: string): Promise<Endpoint | undefined> =>
      ifThere(`looking at the endpoint ${name}`, () =>
        azure.json<Endpoint>(mlCall(place, path(name), { method: 'GET' })),
      ),

    /** All of them, also those that somebody else made. */
    async deployments(name: string): Promise<readonly Deployed[]> {
      const found: Deployed[] = [];
      let query: Call['query'] = {};
      do {
        const call = mlCall(place, `${path(name)}/deployments`, { method: 'GET', query });
        const page = await ifThere(`listing the deployments of the endpoint ${name}`, () => azure.json<Page>(call));
        for (const { id = '', name: known = '', tags, properties } of page?.value ?? [])
          found.push({
            name: nameOfDeployment(known),
            id,
            state: properties?.provisioningState ?? '',
            operation: properties?.properties?.AzureAsyncOperationUri ?? '',
            tags: tags ?? {},
            captured: percentOf(properties?.dataCollector?.collections?.request?.samplingRate),
          });
        query = page?.nextLink == null ? undefined : Object.fromEntries(new URL(page.nextLink).searchParams);
      } while (query !== undefined);
      return found;
    },
  };
}

const percentOf = (rate = 0): number => Math.round(rate * 1e6) / 1e4;

export type Endpoints = ReturnType<typeof mlEndpoints>;

/** By our names, and without those that get nothing. */
export const sharesOf = (shares: Shares | null | undefined): Shares =>
  Object.fromEntries(
    Object.entries(shares ?? {}).flatMap(([name, share]) =>
      share > 0 ? [[nameOfDeployment(name), share] as const] : [],
    ),
  );
