import t from 'tap'
import { EpmdServer } from '../../src/net/epmd-server.js'
import { conversations, play } from './epmd-transcript.js'

void t.test('the embedded server says what epmd says', async t => {
  for (const { name, steps } of conversations) {
    await t.test(name, async t => {
      await using server = await EpmdServer.start({ port: 0 })
      await play(steps, server.port, (heard, expected, { means }) => t.match(heard, expected, means))
    })
  }
})
