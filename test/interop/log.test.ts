import t from 'tap'
import { type Level, Log, logEvent } from '../../src/interop/log.js'
import { atom, tuple } from '../../src/term/index.js'

const event = (level: Level, text: string) => ({ level, text, report: null, meta: new Map() })

t.test('from the term that the agent sends', t => {
  const report = new Map([[atom('a'), 1]])
  t.strictSame(logEvent(tuple(atom('error'), Buffer.from('grün'), report, new Map())), {
    level: 'error',
    text: 'grün',
    report,
    meta: new Map(),
  })
  t.equal(logEvent(tuple(atom('error'), Buffer.from('x'), atom('undefined'), new Map())).report, null)
  t.end()
})

t.test('warnings and worse are unexpected until a pattern covers them', t => {
  const log = new Log()
  log.add(event('notice', 'fine'))
  log.add(event('warning', 'one'))
  log.add(event('error', 'two'))
  log.add(event('critical', 'three'))
  const texts = (): string[] => log.unexpected().map(({ text }) => text)
  t.strictSame(texts(), ['one', 'two', 'three'])
  log.expect('on')
  t.strictSame(texts(), ['two', 'three'])
  log.expect(/^t/)
  log.add(event('error', 'twelve'))
  t.strictSame(texts(), [], 'what comes later is covered too')
  log.expect(({ level }) => level === 'alert')
  log.add(event('alert', 'x'))
  log.add(event('emergency', 'y'))
  t.strictSame(texts(), ['y'])
  t.equal([...log].length, 7)
  t.end()
})

t.test('finding and listening', t => {
  const log = new Log()
  const heard: string[] = []
  const stop = log.listen(({ text }) => heard.push(text))
  log.add(event('info', 'a1'))
  log.add(event('info', 'a2'))
  stop()
  log.add(event('info', 'a3'))
  t.strictSame(heard, ['a1', 'a2'])
  t.equal(log.find(/a/)?.text, 'a1')
  t.equal(log.find('a3')?.text, 'a3')
  t.equal(log.find('b'), undefined)
  t.end()
})
