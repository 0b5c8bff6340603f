import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

type Environment = Readonly<Record<string, string | undefined>>;

/** A token of whoever is logged in to Azure, for a resource such as `https://storage.azure.com/`. */
export async function tokenOf(env: Environment, resource: string): Promise<string> {
  const asking = ['account', 'get-access-token', '--resource', resource, '--query', 'accessToken', '--output', 'tsv'];
  try {
    const { stdout } = await promisify(execFile)('az', asking, { env: { ...env } });
    return stdout.trim();
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    throw new Error(
      code === 'ENOENT'
        ? 'az is not on the PATH, and it says who you are to Azure: install the Azure CLI (learn.microsoft.com/cli/azure/install-azure-cli)'
        : `you are not logged in to Azure: run 'az login' (${stderr.trim().split('\n')[0]})`,
      { cause: error },
    );
  }
}
