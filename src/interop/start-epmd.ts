import { once } from 'node:events'
import { createServer } from 'node:net'
import { env } from 'node:process'
import { Child, type Exit } from './child.js'
import { type Waiting, within } from './deadline.js'
import { InteropError } from './errors.js'
import { missing, programOf, type Release } from './release.js'

export interface EpmdOptions extends Waiting {
  /** Default: one that is free */
  readonly port?: number | undefined
  readonly otp?: Release | undefined
  /** Allow KILL with live nodes, and STOP */
  readonly relaxed?: boolean | undefined
}

/** A real epmd of its own, in the foreground: gone when closed, and at the latest with this process. */
export class Epmd implements AsyncDisposable {
  readonly port: number
  readonly #child: Child

  /** Use `startEpmd`. */
  constructor(child: Child, port: number) {
    this.#child = child
    this.port = port
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }

  /** SIGSTOP: it accepts connections and answers nothing. */
  pause(): void {
    this.#child.signal('SIGSTOP')
  }

  resume(): void {
    this.#child.signal('SIGCONT')
  }

  /** SIGKILL. The nodes that were registered see their connection close. */
  async close(): Promise<Exit> {
    return this.#child.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * Starts a real epmd and resolves when it listens.
 *
 * @throws InteropError ERR_INTEROP_NO_OTP; ERR_INTEROP_START when it ended, as it does when the port is taken.
 */
export async function startEpmd(options: EpmdOptions = {}): Promise<Epmd> {
  const port = options.port ?? (await freePort())
  // Debugging twice makes it say "entering the main select() loop", which is when it listens.
  const args = ['-d', '-d', '-port', String(port), ...(options.relaxed ? ['-relaxed_command_check'] : [])]
  const child = new Child(programOf('epmd', options.otp), args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await within(options, `start of epmd on port ${port}`, signal => child.wrote(/main select\(\) loop/, signal))
  } catch (cause) {
    const { code } = await child.kill()
    if (code === 127) throw missing(options.otp, child.output)
    throw new InteropError('ERR_INTEROP_START', `epmd did not start on port ${port}. It wrote: ${child.output.trim() || 'nothing'}`, {
      cause,
    })
  }
  return new Epmd(child, port)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new InteropError('ERR_INTEROP_START', 'No free port: name one with { port }.')
  return address.port
}
