import { sha256Hex } from '@serin/core/base/json';
import * as z from 'zod';
import { openApi } from './openapi.ts';
import type { Api } from './options.ts';
import { openAtHome } from './roles.ts';
import { bodyOf, type Route, route, type WholeRoute } from './route.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
summary:focus-visible { outline: 2px solid; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; padding: .5rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.role { opacity: .7; }
`;

/** The description of the table, for machines and for people. Neither needs a script, nor another host. */
export function docsRoutes(routes: readonly Route[], { version, platform }: Api): readonly Route[] {
  const role = openAtHome(platform);
  let made: Promise<{ readonly document: object; readonly html: string }> | undefined;
  const described = () => {
    made ??= describe(routes, version);
    return made;
  };
  const policy = `default-src 'none'; style-src 'sha256-${base64Sha256(style)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return [
    route({
      method: 'get',
      path: '/openapi.json',
      summary: 'this API, as OpenAPI 3.1',
      role,
      scope: 'models',
      answers: { 200: { description: 'the document', schema: z.looseObject({ openapi: z.string() }) } },
      handle: async () => ({
        status: 200,
        body: (await described()).document,
        headers: { 'cache-control': 'no-cache' },
      }),
    }),
    route({
      method: 'get',
      path: '/docs',
      summary: 'this API, as a page',
      role,
      scope: 'models',
      answers: { 200: { description: 'the page', media: 'text/html' } },
      handle: async () => ({
        status: 200,
        body: (await described()).html,
        headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
      }),
    }),
  ];
}

async function describe(routes: readonly Route[], version: string) {
  const whole = await Promise.all(
    routes.map(async (each): Promise<WholeRoute> => {
      const { body: _, ...row } = each;
      const body = await bodyOf(each);
      return { ...row, ...(body === undefined ? {} : { body }) };
    }),
  );
  const document = openApi(whole, version);
  return { document, html: page(document as unknown as Document, whole) };
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}
interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

function page(document: Document, routes: readonly WholeRoute[]): string {
  const rows = routes.map((row) => {
    const operation = document.paths[row.path.replace('*}', '}')]?.[row.method];
    return operation === undefined ? '' : section(row, operation);
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Serin ${escaped(document.info.version)}: HTTP API</title><style>${style}</style></head>
<body><h1>Serin ${escaped(document.info.version)}: HTTP API</h1>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
${rows.join('\n')}
</body></html>`;
}

function section(row: WholeRoute, { parameters, requestBody, responses }: Operation): string {
  const named = parameters.map(({ name, in: place, required }) => `${name} (${place}${required ? '' : ', optional'})`);
  const answers = Object.entries(responses).map(([status, { description }]) => `${status} ${description}`);
  return `<details><summary><code>${row.method.toUpperCase()} ${escaped(row.path)}</code> ${escaped(row.summary)} <span class="role">${row.role}</span></summary>
${named.length === 0 ? '' : `<p>${escaped(named.join(', '))}</p>`}
${requestBody === undefined ? '' : `<pre>${escaped(JSON.stringify(requestBody, null, 2))}</pre>`}
<pre>${escaped(answers.join('\n'))}</pre></details>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function base64Sha256(text: string): string {
  const pairs = sha256Hex(text).match(/../g) ?? [];
  return btoa(String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16))));
}
