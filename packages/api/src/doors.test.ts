import { expect, test } from 'vitest';
import { type Claimed, refusedAtTheDoor } from './doors.ts';

const isNamed = (host: string) => host === 'serin.example';
// As beyond loopback: any address is taken for one of this machine.
const isOwn = (host: string) => isNamed(host) || /^[\d.]+:7373$/.test(host);
const ask = (claimed: Partial<Claimed>): boolean =>
  refusedAtTheDoor(
    { method: 'POST', host: '127.0.0.1:7373', origin: undefined, site: undefined, mode: undefined, ...claimed },
    { isOwn, isNamed },
  ) === undefined;

test.each<[boolean, string, Partial<Claimed>]>([
  [true, 'a program', {}],
  [true, 'a page of its own', { origin: 'http://127.0.0.1:7373', site: 'same-origin', mode: 'cors' }],
  [true, 'its own page behind a proxy that speaks TLS', { origin: 'https://127.0.0.1:7373', site: 'same-origin' }],
  [true, 'a link that was followed', { method: 'GET', site: 'cross-site', mode: 'navigate' }],
  [true, 'a page under the name of its proxy', { origin: 'https://serin.example' }],
  [false, 'a page of another address', { origin: 'http://203.0.113.9:7373' }],
  [false, 'a form on another page', { origin: 'http://evil.example', site: 'cross-site', mode: 'navigate' }],
  [false, 'a script of another page', { origin: 'https://evil.example' }],
  [false, 'a script of another page that hides where it is from', { origin: 'null' }],
  [false, 'an image on another page', { method: 'GET', site: 'cross-site', mode: 'no-cors' }],
  [false, 'a page on another port of this machine', { origin: 'http://127.0.0.1:8080', site: 'same-site' }],
  [false, 'a name that was pointed at this machine', { host: 'rebound.example:7373' }],
  [false, 'nobody', { host: undefined }],
])('answers %s to %s', (answered, _, claimed) => {
  expect(ask(claimed)).toBe(answered);
});
