import { expect, test } from 'vitest';
import { unit } from './service.ts';

test.each([
  [['/usr/bin/node', '/opt/serin/serin.js'], 'ExecStart=/usr/bin/node /opt/serin/serin.js serve', 'ProtectHome=yes'],
  [['/home/a/.nvm/node', '/opt/serin.js'], 'ExecStart=/home/a/.nvm/node /opt/serin.js serve', 'ProtectHome=read-only'],
  [['/usr/bin/node', '/root/p/serin.js'], 'ExecStart=/usr/bin/node /root/p/serin.js serve', 'ProtectHome=read-only'],
  [
    ['/usr/bin/node', '/opt/my $p 5%/"s".js'],
    'ExecStart=/usr/bin/node "/opt/my $$p 5%%/\\"s\\".js" serve',
    'ProtectHome=yes',
  ],
])('a unit starts what started it, wherever that lies: %j', (command, start, home) => {
  const lines = unit(command).split('\n');

  expect(lines).toContain(`${start} --directory /var/lib/serin`);
  expect(lines).toContain(home);
});
