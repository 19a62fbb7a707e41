import t from 'tap'
import { machine } from './peers.js'

t.test('what is registered, newest first', async t => {
  const here = await machine(t)
  const { epmdPort } = here
  const empty = await here.run(['names'])
  t.match(empty, { code: 0, stdout: `epmd: up and running on port ${epmdPort} with data:\n`, stderr: '' })
  await here.register('one', 4001)
  await here.register('two', 4002)
  const list = `epmd: up and running on port ${epmdPort} with data:\nname two at port 4002\nname one at port 4001\n`
  t.match(await here.run(['names', 'localhost']), { code: 0, stdout: list, stderr: '' })
  const nodes = [{ name: 'two', port: 4002 }, { name: 'one', port: 4001 }] // prettier-ignore
  const { code, stdout } = await here.run(['names', '--json'])
  t.strictSame([code, JSON.parse(stdout)], [0, { host: '127.0.0.1', epmdPort, nodes }])
})
