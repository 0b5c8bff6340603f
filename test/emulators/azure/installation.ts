/** An installation, and where its things are in Azure. */
export const installation = { project: 'shop', environment: 'prod' };
export const place = { subscription: 's', resourceGroup: 'g', workspace: 'acme', region: 'westeurope' };
export const account = 'shopown';
export const ownContainer = 'serin-own';
export const accounts = { account, dataAccount: account, ownContainer };

/** The URI of a blob of the own container; the key needs no encoding. */
export const uriOf = (key: string): string => `https://${account}.blob.core.windows.net/${ownContainer}/${key}`;
