import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * In the bundles this stands for `@aws-sdk/credential-provider-node`: Lambda gives its credentials in the environment
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and profiles, SSO and metadata services,
 * which that package looks for as well, are a quarter of a small bundle.
 */
export const defaultProvider = fromEnv;
