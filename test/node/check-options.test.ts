import t from 'tap'
import { Node, type NodeOptions } from '../../src/index.js'
import { checkOptions } from '../../src/node/check-options.js'

/** What each option takes, at its bounds, and what it does not. */
const values: readonly [option: keyof NodeOptions, good: readonly unknown[], bad: readonly unknown[]][] = [
  ['nameDomain', ['short', 'long', undefined], ['wide', null, '']],
  ['allow', [[], ['a@host', 'host']], ['a@host', [1], {}]],
  ['distAutoConnect', ['never', 'once', true], ['sometimes', false, 'true']],
  ['epmd', ['auto', 'system', 'embedded', false], ['maybe', true]],
  ['resolve', [9100, () => undefined], ['9100', {}, null]],
  [
    'listen',
    [false, {}, { host: '127.0.0.1', port: 0 }],
    [true, null, { port: 65_536 }, { port: -1 }, { port: 1.5 }, { port: '80' }, { host: '' }],
  ],
  ['netTickTime', [0.2, 60, 2_147_483], [0, -1, Number.NaN, Infinity, '60', 2_147_484, null]],
  ['netTickIntensity', [4, 1000], [3, 1001, 4.5, Number.NaN, '4']],
  [
    'schedulers',
    [{}, { count: 0 }, { count: 62, isolatedHeap: 64 }],
    [4, null, { count: -1 }, { count: 63 }, { count: 1.5 }, { isolatedMemory: 0 }],
  ],
  ['longSchedule', [0, 0.5, 2 ** 31 - 1], [-1, Number.NaN, Infinity, '500', 2 ** 31]],
  ['schedulers', [{}, { count: 0, maxBusy: 0 }, { count: 62, maxBusy: 1000 }], [2, { count: 63 }, { maxBusy: -1 }, { isolatedHeap: 0 }]],
  ['netSetupTime', [1, 2 ** 31 - 1], [0, -5, Number.NaN, Infinity, '7000', 2 ** 31]],
]

t.test('what an option cannot be is told before anything is opened', async t => {
  for (const [option, , bad] of values) {
    for (const value of bad) {
      // A name that is none would be the next thing to be told.
      const options = { name: 'a@b@c', cookie: 'secret', [option]: value } as unknown as NodeOptions
      const message = new RegExp(`The option ${option} is .+; it must be `)
      await t.rejects(Node.start(options), { code: 'NODE_OPTION', message }, `${option}: ${String(value)}`)
    }
  }
})

t.test('what it can be is taken', async t => {
  for (const [option, good] of values) {
    for (const value of good) {
      const options = { name: 'ts', [option]: value } as unknown as NodeOptions
      t.doesNotThrow(() => checkOptions(options), `${option}: ${String(value)}`)
    }
  }
})
