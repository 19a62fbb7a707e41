import t from 'tap'
import { broken, refusal, storeys } from '../../scripts/layers.js'

t.test('imports point down', t => {
  const rooms = storeys.flat()
  for (const [index, room] of rooms.entries()) {
    for (const [other, target] of rooms.entries()) {
      const sameStorey = storeys.some(rooms => rooms.includes(room) && rooms.includes(target))
      const allowed = room === target || (other < index && !sameStorey)
      t.equal(refusal(room, target) === undefined, allowed, `${room} → ${target}`)
    }
    t.equal(refusal(room, '') === undefined, room === 'cli', `only the command comes in by the package's own door: ${room}`)
    t.notOk(refusal('', room), 'which imports every room')
  }
  t.match(refusal('utils', 'term'), /no room/)
  t.end()
})

t.test('the machine', t => {
  t.match(refusal('dist', 'node:crypto'), /no I\/O/)
  t.match(refusal('term', 'node:fs'), /no I\/O/)
  t.match(refusal('etf', 'node:fs/promises'), /no I\/O/)
  t.notOk(refusal('etf', 'node:zlib'))
  t.match(refusal('process', 'node:net'), /only net/)
  t.match(refusal('otp', 'node:dns/promises'), /only net/)
  t.notOk(refusal('net', 'node:tls'))
  t.notOk(refusal('node', 'node:child_process'))
  t.notOk(refusal('store', 'node:fs'))
  t.notOk(refusal('cli', 'yargs'))
  t.end()
})

t.test('a tree with each kind of breach', t => {
  const root = t.testdir({
    'index.ts': `export * from './term/index.js'`,
    term: {
      'index.ts': `export const a = 1`,
      'up.ts': `import { b } from\n  '../net/index.js'`,
      'type.ts': `import type { B } from '../etf/index.js'`,
      'again.ts': `export { c } from '../index.js'`,
      'lazy.ts': `\nexport const late = () => import('node:net')`,
    },
    etf: { deep: { 'ok.ts': `import { a } from '../../term/index.js'` } },
    net: { 'index.ts': `import { connect } from 'node:net'\nimport { a } from '../term/index.js'` },
  })
  t.strictSame(broken(root), [
    'term/again.ts:1 imports ../index.js: term/ may not know src/index: imports point down',
    'term/lazy.ts:2 imports node:net: term/ does no I/O: node:net is passed in, or used further up',
    'term/type.ts:1 imports ../etf/index.js: term/ may not know etf/: imports point down',
    'term/up.ts:2 imports ../net/index.js: term/ may not know net/: imports point down',
  ])
  t.end()
})

t.test('this house', t => {
  t.strictSame(broken(new URL('../../src', import.meta.url).pathname), [])
  t.end()
})
