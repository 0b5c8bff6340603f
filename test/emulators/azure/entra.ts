import { startIssuer } from '../issuer.ts';

export const tenant = '2d4bd1c5-9c6b-4f32-9e1f-9a3f2c7d0001';
/** The application of an installation. */
export const application = '6f1e4a52-0d5c-4a8e-8a0e-5b8a1c2d0002';
/** Azure Monitor's, in all tenants. */
export const monitor = '461e8683-5575-4561-ac7f-899cc907d62a';

/** Signs tokens as Microsoft Entra does for an application, in the form of version 1. */
export const startEntra = () =>
  startIssuer({
    keysPath: `/${tenant}/discovery/v2.0/keys`,
    claims: () => ({
      ...{ iss: `https://sts.windows.net/${tenant}/`, tid: tenant, ver: '1.0' },
      ...{ appid: monitor, appidacr: '2', roles: ['ActionGroupsSecureWebhook'], sub: 'a', oid: 'a' },
    }),
  });
