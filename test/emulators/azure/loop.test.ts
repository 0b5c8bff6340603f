import { expect } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { loopContract } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import { openLoop } from './open-loop.ts';

emulatedAzure('the whole loop on Azure', () => {
  loopContract(openLoop, {
    creates: ['az keyvault secret set', `${names.secrets}other-key`],
    alarms: 'azure-monitor',
    silence:
      /the requests were not shared out as configured: at 10 % the candidate should have got about [\d,]+ of [\d,]+, and got [\d,]+/,
    async afterStory({ world, written }) {
      const places = await written();
      for (const place of [/^starts\//, /^configs\//, /^table:/, /^sent to events/, /^the log/])
        expect([place, places.some(([where]) => place.test(where))]).toEqual([place, true]);
      // No emulator asks for permissions: each request of the loop is held to the role of its function.
      expect(world.roles.refused()).toEqual([]);
      const done = world.roles.done();
      for (const what of [
        /^api: \S+\/blobs\/\S+ on \S+\/containers\/serin configs$/,
        /^clock: \S+\/entities\/read on \S+\/tables\/journal$/,
        /^signals: \S+\/onlineEndpoints\/write on /,
        /^signals: \S+\/blobs\/read on \S+\/containers\/drops prices$/,
      ])
        expect([what, done.some((each) => what.test(each))]).toEqual([what, true]);
    },
  });
});
