import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { ownHosts } from './own-hosts.ts';

test.each([
  ['127.0.0.1', '127.0.0.1:7373', true],
  ['127.0.0.1', 'localhost:7373', true],
  ['127.0.0.1', '[::1]:7373', true],
  ['127.0.0.1', 'serin.example', true],
  ['127.0.0.1', 'localhost:8080', false],
  ['127.0.0.1', '10.0.0.5:7373', false],
  ['127.0.0.1', '127.0.0.1.evil.example:7373', false],
  ['0.0.0.0', 'localhost:8080', true],
  ['0.0.0.0', '10.0.0.5:8080', true],
  ['0.0.0.0', '[fe80::1]:7373', true],
  ['0.0.0.0', `${hostname().toLowerCase()}:7373`, true],
  ['0.0.0.0', 'serin.example', true],
  ['0.0.0.0', 'evil.example:7373', false],
  ['0.0.0.0', '10.0.0.5.evil.example', false],
  ['0.0.0.0', '', false],
])('a server on %s answers to %s: %s', (listensOn, host, isOwn) => {
  expect(ownHosts(listensOn, () => 7373, ['Serin.example']).isOwn(host)).toBe(isOwn);
});
