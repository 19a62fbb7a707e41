/** Spawning from anywhere to anywhere: a process in a place starts others in other places. */
import t from 'tap'
import { any, atom, format, match, Node, type Term } from 'beamlet'

const reach = new URL('./support/placed/reach.mjs', import.meta.url)

/** Each with what it must give: see support/placed/reach.mjs. */
const expected = {
  large: 'next',
  ends: '[linked,watched,killed,told,undef,noproc,false]',
  named: '[true,by_name,by_pid,over]',
  taken: '{already_started,true}',
  inherits: '[true,17,1,true,0,200000]',
  orphan: 'true',
  burst: 'true',
  server: '[15,stop,negative]',
}

const ways = [
  ['pool', 'main', expected],
  ['pool', 'pool', expected],
  ['pool', 'isolated', { isolated: '[next,told,killed]', inherits: '[true,17,1,true,0,200000]' }],
  ['isolated', 'main', expected],
  ['isolated', 'pool', expected],
  ['isolated', 'isolated', { isolated: '[next,told,killed]' }],
] as const

t.test('from a place to any other', async t => {
  const name = `ts-${process.pid}-reach@127.0.0.1`
  await using node = await Node.start({ name, cookie: 'secret', listen: false, epmd: false, schedulers: { count: 2, execArgv: [] } })
  node.on('crash', () => {})
  await node.code.load('reach', reach)
  for (const [where, on, scenarios] of ways) {
    await t.test(`${where} to ${on}`, async t => {
      const names = Object.keys(scenarios)
      const told = await node.run(async self => {
        const code = { module: 'reach', fun: 'reach', args: [self.pid, names.map(name => atom(name)), atom(on)] }
        const [pid, ref] = self.spawnMonitor(code, { on: where })
        return self.receive(match.oneOf(match([pid, any]), match([atom('DOWN'), ref, any, any, any])))
      })
      const values = told.elements[1] as Term[]
      for (const [index, name] of names.entries()) t.equal(format(values[index] as Term), Object.values(scenarios)[index], name)
      if (told.length > 2) t.fail(format(told as Term))
    })
  }
})
