/** spec/epmd.json is what the code says and understands. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import * as epmd from '../../src/dist/epmd.js'
import { answer } from '../../src/net/epmd-answer.js'
import { EpmdDirectory } from '../../src/net/epmd-directory.js'

interface Request {
  readonly code: number
  readonly name: string
  readonly op: epmd.EpmdRequest['op']
  readonly layout: string
  readonly answers: readonly string[]
  readonly local: boolean
}

interface Answer {
  readonly code: number | null
  readonly name: string
}

const { requests, answers } = JSON.parse(readFileSync('spec/epmd.json', 'utf8')) as { requests: Request[]; answers: Answer[] }

const entry = { name: 'ts', port: 4001, hidden: false, highest: 6, lowest: 5, extra: Buffer.alloc(0) }
/** One of each */
const samples: { readonly [Op in epmd.EpmdRequest['op']]: Extract<epmd.EpmdRequest, { op: Op }> } = {
  alive2: { op: 'alive2', entry },
  portPlease2: { op: 'portPlease2', name: 'ts' },
  names: { op: 'names' },
  dump: { op: 'dump' },
  kill: { op: 'kill' },
  stop: { op: 'stop', name: 'ts' },
}

t.test('requests have these codes, and there are no others', async t => {
  t.strictSame(requests.map(({ op }) => op).toSorted(), Object.keys(samples).toSorted())
  for (const { code, name, op, layout } of requests) {
    const bytes = epmd.encodeRequest(samples[op])
    t.equal(bytes[2], code, name)
    t.ok(layout.startsWith(`${code}`), layout)
    t.strictSame(epmd.readRequest(bytes), samples[op])
  }
  const known = new Set(requests.map(({ code }) => code))
  for (let code = 0; code < 256; code++)
    if (!known.has(code)) t.throws(() => epmd.readRequest(Buffer.of(0, 1, code)), { code: 'EPMD_FORMAT' }, `${code}`)
})

t.test('answers have these codes', async t => {
  const written: Record<string, Buffer> = {
    ALIVE2_X_RESP: epmd.encodeAliveReply({ creation: 9 }, 6),
    ALIVE2_RESP: epmd.encodeAliveReply({ creation: 1 }, 5),
    PORT2_RESP: epmd.encodePortReply(entry),
    NAMES_RESP: epmd.encodeNamesReply({ epmdPort: 4369, names: [] }),
    DUMP_RESP: epmd.encodeDumpReply({ epmdPort: 4369, active: [], old: [] }),
    KILL_RESP: epmd.encodeKillReply(true),
    STOP_RESP: epmd.encodeStopReply(true),
  }
  t.strictSame(Object.keys(written), answers.map(({ name }) => name)) // prettier-ignore
  for (const { code, name } of answers) if (code !== null) t.equal(written[name]?.[0], code, name)
  for (const { answers: these } of requests) for (const name of these) t.ok(name in written, name)
})

t.test('only processes of its own host may register and command', async t => {
  for (const { op, local, name } of requests) {
    const service = { directory: new EpmdDirectory(10, () => 4), port: 4369, relaxed: true }
    t.equal(answer(samples[op], { local: false, fd: 5 }, service).bytes === null, local, `${name} from elsewhere`)
    t.not(answer(samples[op], { local: true, fd: 5 }, service).bytes, null, `${name} from here`)
  }
})
