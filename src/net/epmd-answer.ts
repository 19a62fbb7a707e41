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
  | { readonly bytes: Buffer | null; readonly then: 'close' }
  | { readonly bytes: Buffer; readonly then: 'keep'; readonly registered: Registered }
  | { readonly bytes: Buffer; readonly then: 'drop'; readonly registered: Registered }
  | { readonly bytes: Buffer; readonly then: 'shutdown' }

const refused: EpmdAnswer = { bytes: null, then: 'close' }
const close = (bytes: Buffer): EpmdAnswer => ({ bytes, then: 'close' })

export function answer(request: wire.EpmdRequest, asker: Asker, { directory, port, relaxed }: Service): EpmdAnswer {
  if (request.op === 'portPlease2') return close(wire.encodePortReply(directory.get(request.name)?.entry ?? null))
  if (request.op === 'names') return close(wire.encodeNamesReply({ epmdPort: port, names: directory.active().map(({ entry }) => entry) }))
  if (!asker.local) return refused
  switch (request.op) {
    case 'alive2': {
      const { highest } = request.entry
      const registered = directory.register(request.entry, asker.fd)
      // epmd leaves the socket open here too; nothing ever comes of that.
      if (!registered) return close(wire.encodeAliveReply({ creation: null }, highest))
      return { bytes: wire.encodeAliveReply({ creation: creationOf(registered) }, highest), then: 'keep', registered }
    }
    case 'dump':
      return close(wire.encodeDumpReply({ epmdPort: port, active: directory.active().map(dumped), old: directory.old().map(dumped) }))
    case 'kill':
      if (!relaxed && directory.active().length > 0) return close(wire.encodeKillReply(false))
      return { bytes: wire.encodeKillReply(true), then: 'shutdown' }
    case 'stop': {
      if (!relaxed) return refused
      const registered = directory.get(request.name)
      // epmd says NOEXIST and then STOPPED too, by accident.
      return registered ? { bytes: wire.encodeStopReply(true), then: 'drop', registered } : close(wire.encodeStopReply(false))
    }
  }
}

const dumped = ({ entry, fd }: Registered): wire.DumpedName => ({ name: entry.name, port: entry.port, fd })
