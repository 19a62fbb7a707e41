/** `beamlet epmd`: the embedded EPMD in the foreground, for a machine without Erlang. What happens is told on stderr. */
import { EpmdServer } from '../net/epmd-server.js'
import type { CommonOptions } from './options.js'
import { progress } from './output.js'
import { untilTold } from './until-told.js'

export interface EpmdOptions extends CommonOptions {
  /** Where to listen beside the loopback: addresses, separated by commas */
  readonly address?: string | undefined
  /** Obey STOP, and KILL while nodes are registered */
  readonly relaxed: boolean
}

/** Resolves when it was told to end: by a signal, or by `epmd -kill`. @throws EpmdError EPMD_PORT_IN_USE, EPMD_LISTEN, EPMD_PORT. */
export async function epmd({ epmdPort, address, relaxed }: EpmdOptions): Promise<void> {
  let killed = (): void => {}
  const closed = new Promise<void>(resolve => (killed = resolve))
  await using server = await EpmdServer.start({
    port: epmdPort,
    host: address,
    relaxed,
    events: {
      registered: ({ name, port, hidden }, creation) =>
        progress(`registered ${name} at port ${port}${hidden ? ', hidden' : ''}, creation ${creation}`),
      unregistered: ({ name }) => progress(`unregistered ${name}`),
      fault: (error, remoteAddress) => progress(remoteAddress === undefined ? error.message : `${remoteAddress}: ${error.message}`),
      closed: killed,
    },
  })
  progress(`EPMD listens on port ${server.port}`)
  await Promise.race([untilTold(), closed])
  progress('EPMD ends')
}
