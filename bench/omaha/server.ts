import { Served, service } from '#operators/update/omaha/testing/served.ts';
import { HELD_SIZES } from './subject.ts';

/*
 * The Omaha endpoint over HTTP, in a process of its own: groups `steady`, whose machines are at their target,
 * `eager`, whose machines are all given it, and `held-<size>`, whose machines wait but ten. Told over IPC to move its
 * clock on, in ms.
 */

const group = (name: string, maxStaging: number | string) =>
  service({ name, omaha: { tracks: [name] }, update: { rollout: { maxStaging } } });

const served = await Served.start([
  group('steady', '100%'),
  group('eager', '100%'),
  ...HELD_SIZES.map((size) => group(`held-${size}`, 10)),
]);

process.on('disconnect', () => void served.stop().then(() => process.exit()));
process.on('message', (ms: number) => {
  served.now += ms;
  process.send?.('passed');
});
process.send?.(served.url);
