/** What an EPMD answers to a request, and what becomes of the socket then. Source: epmd_srv.c, `do_request`. */
import * as wire from '../dist/epmd.js'
import { creationOf, type EpmdDirectory, type Registered } from './epmd-directory.js'

export interface Asker {
  /** Runs on this machine: only such a one may register or command */
  readonly local: boolean
  readonly fd: number
}

export interface Service {
  readonly directory: EpmdDirectory
  /** Our own port. OTP's clients compare it with theirs. */
  readonly port: number
  /** Obey STOP always, and KILL while nodes are registered */
  readonly relaxed: boolean
}

/** `bytes` null: close without a word. Otherwise close when they are sent, unless the socket is now a registration. */
export type EpmdAnswer =
  | { readonly bytes: Buffer | null; readonly next: 'close' }
  | { readonly bytes: Buffer; readonly next: 'keep'; readonly registered: Registered }
  | { readonly bytes: Buffer; readonly next: 'drop'; readonly registered: Registered }
  | { readonly bytes: Buffer; readonly next: 'shutdown' }

const refused: EpmdAnswer = { bytes: null, next: 'close' }
const close = (bytes: Buffer): EpmdAnswer => ({ bytes, next: 'close' })

export function answer(request: wire.EpmdRequest, asker: Asker, { directory, port, relaxed }: Service): EpmdAnswer {
  if (request.op === 'portPlease2') return close(wire.encodePortReply(directory.get(request.name)?.entry ?? null))
  if (request.op === 'names') return close(wire.encodeNamesReply({ epmdPort: port, names: directory.active().map(({ entry }) => entry) }))
  return asker.local ? obey(request, asker.fd, { directory, port, relaxed }) : refused
}

type Command = Exclude<wire.EpmdRequest, { op: 'portPlease2' | 'names' }>

/** What only a process of this machine may ask. */
function obey(request: Command, fd: number, { directory, port, relaxed }: Service): EpmdAnswer {
  switch (request.op) {
    case 'alive2': {
      const { highest } = request.entry
      const registered = directory.register(request.entry, fd)
      // epmd leaves the socket open here too; nothing ever comes of that.
      if (!registered) return close(wire.encodeAliveReply({ creation: null }, highest))
      return { bytes: wire.encodeAliveReply({ creation: creationOf(registered) }, highest), next: 'keep', registered }
    }
    case 'dump':
      return close(wire.encodeDumpReply({ epmdPort: port, active: directory.active().map(dumped), old: directory.old().map(dumped) }))
    case 'kill':
      if (!relaxed && directory.active().length > 0) return close(wire.encodeKillReply(false))
      return { bytes: wire.encodeKillReply(true), next: 'shutdown' }
    case 'stop': {
      if (!relaxed) return refused
      const registered = directory.get(request.name)
      // epmd says NOEXIST and then STOPPED too, by accident.
      return registered ? { bytes: wire.encodeStopReply(true), next: 'drop', registered } : close(wire.encodeStopReply(false))
    }
  }
}

const dumped = ({ entry, fd }: Registered): wire.DumpedName => ({ name: entry.name, port: entry.port, fd })
